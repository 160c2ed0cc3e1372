// Pools a picture in several ways, times each against plain loops, and writes the results as pictures:
//   digits [picture.png] [output-directory]
#include <eigenpool/eigenpool.hpp>

#include "picture.hpp"
#include "plain_loops.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace eigenpool;

using PoolInto = std::function<void(Picture& y, const Picture& x)>;
using PlainLoops = void (*)(Picture& y, const Picture& x, const plain::Ranges& rows, const plain::Ranges& columns);

// One row of the table: the library's call, and the plain loops that do the same.
struct Operator {
  std::string name, file;
  PoolInto pool_into;
  PlainLoops plain_loops;
  plain::Ranges rows, columns;
};

struct Row {
  Picture pooled;
  double seconds, plain_seconds;
};

// The largest window without padding is 4 x 4.
constexpr Eigen::Index smallest_side = 4;

Operator max_operator(const Picture& x, Eigen::Index kernel, Eigen::Index stride, Eigen::Index padding) {
  const std::string k = std::to_string(kernel), s = std::to_string(stride);
  const Window<2> w{.kernel = kernel, .stride = stride, .padding = padding};
  return {"max " + k + " x " + k + ", stride " + s,
          "max_" + k + "x" + k + "_stride_" + s + ".png",
          [w](Picture& y, const Picture& in) { max_pool2d_into(y, in, w); },
          plain::max_pool,
          plain::windows(x.dimension(2), kernel, stride, padding),
          plain::windows(x.dimension(3), kernel, stride, padding)};
}

Operator avg_operator(const Picture& x, Eigen::Index kernel, Eigen::Index stride, Eigen::Index padding) {
  const std::string k = std::to_string(kernel), s = std::to_string(stride);
  const Window<2> w{.kernel = kernel, .stride = stride, .padding = padding};
  const AvgOptions options{.count_include_pad = false, .divisor_override = {}};
  return {"average " + k + " x " + k + ", stride " + s,
          "average_" + k + "x" + k + "_stride_" + s + ".png",
          [w, options](Picture& y, const Picture& in) { avg_pool2d_into(y, in, w, options); },
          plain::avg_pool,
          plain::windows(x.dimension(2), kernel, stride, padding),
          plain::windows(x.dimension(3), kernel, stride, padding)};
}

// A thumbnail keeps the picture's shape; 96 divides hardly any picture's size, which is the point of adaptive pooling.
std::vector<Operator> adaptive_operators(const Picture& x) {
  const Eigen::Index longest = std::max(x.dimension(2), x.dimension(3)), side = std::min<Eigen::Index>(longest, 96);
  const Eigen::Index height = std::max<Eigen::Index>(1, side * x.dimension(2) / longest);
  const Eigen::Index width = std::max<Eigen::Index>(1, side * x.dimension(3) / longest);
  const plain::Ranges rows = plain::parts(x.dimension(2), height), columns = plain::parts(x.dimension(3), width);
  const OutputSize<2> size{height, width};
  return {{"adaptive max", "adaptive_max.png",
           [size](Picture& y, const Picture& in) { adaptive_max_pool2d_into(y, in, size); }, plain::max_pool, rows,
           columns},
          {"adaptive average", "adaptive_average.png",
           [size](Picture& y, const Picture& in) { adaptive_avg_pool2d_into(y, in, size); }, plain::avg_pool, rows,
           columns}};
}

std::vector<Operator> global_operators(const Picture& x) {
  const plain::Ranges rows = plain::parts(x.dimension(2), 1), columns = plain::parts(x.dimension(3), 1);
  return {{"global max", "global_max.png", [](Picture& y, const Picture& in) { global_max_pool_into(y, in); },
           plain::max_pool, rows, columns},
          {"global average", "global_average.png", [](Picture& y, const Picture& in) { global_avg_pool_into(y, in); },
           plain::avg_pool, rows, columns}};
}

std::vector<Operator> all_operators(const Picture& x) {
  std::vector<Operator> operators{max_operator(x, 4, 4, 0), avg_operator(x, 4, 4, 0),  // the contact sheet's two
                                  max_operator(x, 2, 2, 0), avg_operator(x, 2, 2, 0), max_operator(x, 3, 2, 1),
                                  avg_operator(x, 3, 2, 1), max_operator(x, 5, 1, 2), avg_operator(x, 5, 1, 2)};
  for (Operator& op : adaptive_operators(x)) operators.push_back(std::move(op));
  for (Operator& op : global_operators(x)) operators.push_back(std::move(op));
  return operators;
}

double seconds_of(const std::function<void()>& work, int calls) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) work();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return taken.count() / calls;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// One sample lasts about a millisecond, so that the clock's own cost does not show.
int calls_in_a_sample(const std::function<void()>& work) {
  return std::clamp(static_cast<int>(1e-3 / (seconds_of(work, 1) + 1e-9)), 1, 1000);
}

// The two take turns, so a machine that slows down for a while slows both; a large picture gets fewer turns.
void time_both(const std::function<void()>& library, const std::function<void()>& plain_loops, Row& row) {
  constexpr int most_rounds = 31, fewest_rounds = 5;
  constexpr double enough_seconds = 1.0;
  const int library_calls = calls_in_a_sample(library), plain_calls = calls_in_a_sample(plain_loops);
  std::vector<double> library_samples, plain_samples;
  double spent = 0;
  for (int round = 0; round < most_rounds && (round < fewest_rounds || spent < enough_seconds); ++round) {
    library_samples.push_back(seconds_of(library, library_calls));
    plain_samples.push_back(seconds_of(plain_loops, plain_calls));
    spent += library_samples.back() * library_calls + plain_samples.back() * plain_calls;
  }
  row.seconds = median(library_samples);
  row.plain_seconds = median(plain_samples);
}

// Sums in another order differ by rounding: far less than a hundredth of a grey level.
void check_equal(const Operator& op, const Picture& pooled, const Picture& expected) {
  for (Eigen::Index i = 0; i < pooled.size(); ++i) {
    const bool equal = std::abs(pooled.data()[i] - expected.data()[i]) <= 0.01F;  // false for NaN
    if (!equal) throw std::logic_error(op.name + ": the library and the plain loops disagree");
  }
}

Row measure(const Operator& op, const Picture& x) {
  const auto height = static_cast<Eigen::Index>(op.rows.size()), width = static_cast<Eigen::Index>(op.columns.size());
  Row row{Picture(1, x.dimension(1), height, width), 0, 0};
  Picture expected(1, x.dimension(1), height, width);
  const auto library = [&] { op.pool_into(row.pooled, x); };
  const auto plain_loops = [&] { op.plain_loops(expected, x, op.rows, op.columns); };
  library();
  plain_loops();
  check_equal(op, row.pooled, expected);
  time_both(library, plain_loops, row);
  return row;
}

std::string shape_text(const Picture& picture) {
  std::string text = std::to_string(picture.dimension(0));
  for (std::size_t axis = 1; axis < 4; ++axis) text += " x " + std::to_string(picture.dimension(axis));
  return text;
}

void print_header() {
  std::printf("%-24s  %-20s  %-20s  %10s  %14s  %12s\n", "operator", "input (N C H W)", "output (N C H W)", "time/us",
              "plain loops/us", "times faster");
}

void print_row(const Operator& op, const Picture& x, const Row& row) {
  std::printf("%-24s  %-20s  %-20s  %10.1f  %14.1f  %12.1f\n", op.name.c_str(), shape_text(x).c_str(),
              shape_text(row.pooled).c_str(), 1e6 * row.seconds, 1e6 * row.plain_seconds,
              row.plain_seconds / row.seconds);
}

void make_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (!std::filesystem::is_directory(directory)) {
    throw std::runtime_error(directory.string() + ": cannot be made a directory" +
                             (error ? ": " + error.message() : std::string{}));
  }
}

void run(const std::string& picture_path, const std::filesystem::path& directory) {
  const Picture x = read_png(picture_path);
  const std::string size = std::to_string(x.dimension(3)) + " x " + std::to_string(x.dimension(2)) + " pixels";
  if (std::min(x.dimension(2), x.dimension(3)) < smallest_side) {
    throw std::runtime_error(picture_path + ": is " + size + ", at least 4 x 4 are needed");
  }
  make_directory(directory);
  write_png((directory / "input.png").string(), x);  // fails before the table if nothing can be written

  std::printf("%s: %s, %s\n\n", picture_path.c_str(), size.c_str(), x.dimension(1) == 1 ? "grey" : "colour");
  print_header();
  std::vector<Picture> pooled;
  for (const Operator& op : all_operators(x)) {
    Row row = measure(op, x);
    print_row(op, x, row);
    write_png((directory / op.file).string(), row.pooled);
    pooled.push_back(std::move(row.pooled));
  }
  write_png((directory / "contact_sheet.png").string(), side_by_side(x, pooled[0], pooled[1]));
  std::printf("\n%zu pictures written to %s\ncontact_sheet.png shows the input, max 4 x 4 and average 4 x 4\n",
              pooled.size() + 2, directory.string().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 3) {
    std::fprintf(stderr, "usage: digits [picture.png] [output-directory]\n");
    return 1;
  }
  try {
    run(argc > 1 ? argv[1] : EIGENPOOL_EXAMPLE_PICTURE, argc > 2 ? argv[2] : "digits_output");
  } catch (const std::exception& error) {
    // A file's name may hold anything; the message stays on one line.
    std::string text = error.what();
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, '?');
    std::fprintf(stderr, "digits: %s\n", text.c_str());
    return 1;
  }
  return 0;
}
