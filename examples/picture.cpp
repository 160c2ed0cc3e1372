#include "picture.hpp"

#include <png.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace {

using Bytes = std::vector<unsigned char>;

// What libpng reads and writes: 1 x height x width x channels. A Picture has its channels before the pixels.
using Pixels = Eigen::Tensor<std::uint8_t, 4, Eigen::RowMajor>;
constexpr std::array<int, 4> channels_before{0, 3, 1, 2}, channels_behind{0, 2, 3, 1};

// A small file can claim to hold a huge picture; nothing is allocated for one above this.
constexpr std::uint64_t max_pixels = std::uint64_t{1} << 26;

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
  throw std::runtime_error(path + ": " + reason);
}

Bytes read_bytes(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) fail(path, "is a directory, not a picture");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path, std::string("cannot be opened: ") + std::strerror(errno != 0 ? errno : EIO));
  Bytes bytes;
  try {
    bytes.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  } catch (const std::ios_base::failure&) {
    fail(path, "cannot be read");
  }
  if (bytes.empty()) fail(path, "is empty");
  return bytes;
}

std::uint64_t big_endian_32(const unsigned char* bytes) {
  return std::uint64_t{bytes[0]} << 24 | std::uint64_t{bytes[1]} << 16 | std::uint64_t{bytes[2]} << 8 | bytes[3];
}

// libpng stops at the last row and so does not miss a lost end of the file; the chunks tell.
void check_chunks(const std::string& path, const Bytes& bytes) {
  constexpr std::size_t signature_bytes = 8, chunk_overhead = 12;  // length, name, checksum
  const std::size_t signature_read = std::min(bytes.size(), signature_bytes);
  if (png_sig_cmp(bytes.data(), 0, signature_read) != 0) fail(path, "is not a PNG file");
  for (std::size_t at = signature_bytes; at + chunk_overhead <= bytes.size();) {
    const std::uint64_t length = big_endian_32(&bytes[at]);
    const std::size_t left = bytes.size() - at - chunk_overhead;
    if (length > left) break;
    if (std::memcmp(&bytes[at + 4], "IEND", 4) == 0) return;
    at += chunk_overhead + static_cast<std::size_t>(length);
  }
  fail(path, "is truncated or broken: a PNG file's end is missing");
}

// Frees what libpng holds however the function that owns it is left.
struct PngImage {
  png_image image{};
  PngImage() { image.version = PNG_IMAGE_VERSION; }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;
  ~PngImage() { png_image_free(&image); }
};

void check_supported(const std::string& path, const png_image& image) {
  if ((image.format & PNG_FORMAT_FLAG_LINEAR) != 0) {
    fail(path, "has 16 bits a channel, only 8-bit pictures are read");
  }
  if (std::uint64_t{image.width} * image.height > max_pixels) {
    fail(path, "is " + std::to_string(image.width) + " x " + std::to_string(image.height) +
                   " pixels, more than this example reads");
  }
}

}  // namespace

Picture read_png(const std::string& path) {
  const Bytes bytes = read_bytes(path);
  check_chunks(path, bytes);

  PngImage png;
  png_image& image = png.image;
  if (png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) == 0) {
    fail(path, std::string("is broken: ") + image.message);
  }
  check_supported(path, image);

  const bool colour = (image.format & PNG_FORMAT_FLAG_COLOR) != 0;
  image.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  const png_color white{255, 255, 255};
  Pixels pixels(1, image.height, image.width, colour ? 3 : 1);
  if (png_image_finish_read(&image, &white, pixels.data(), 0, nullptr) == 0) {
    fail(path, std::string("is broken: ") + image.message);
  }
  // Two steps: Eigen 3.4 gets a cast of a shuffled tensor wrong.
  const Picture interleaved = pixels.cast<float>();
  return interleaved.shuffle(channels_before);
}

void write_png(const std::string& path, const Picture& picture) {
  const Picture interleaved = picture.shuffle(channels_behind);
  const Pixels pixels = interleaved.round().cwiseMax(0.0F).cwiseMin(255.0F).cast<std::uint8_t>();
  PngImage png;
  png_image& image = png.image;
  image.height = static_cast<png_uint_32>(pixels.dimension(1));
  image.width = static_cast<png_uint_32>(pixels.dimension(2));
  image.format = pixels.dimension(3) == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  if (png_image_write_to_file(&image, path.c_str(), 0, pixels.data(), 0, nullptr) == 0) {
    fail(path, std::string("cannot be written: ") + image.message);
  }
}

Picture side_by_side(const Picture& first, const Picture& second, const Picture& third) {
  constexpr Eigen::Index margin = 12;
  constexpr float ground = 128;
  const Eigen::Index channels = first.dimension(1), height = first.dimension(2), width = first.dimension(3);

  Picture sheet(1, channels, height + 2 * margin, 3 * width + 4 * margin);
  sheet.setConstant(ground);
  Eigen::Index left = margin;
  for (const Picture* panel : {&first, &second, &third}) {
    for (Eigen::Index c = 0; c < channels; ++c) {
      for (Eigen::Index row = 0; row < height; ++row) {
        const Eigen::Index panel_row = row * panel->dimension(2) / height;
        for (Eigen::Index column = 0; column < width; ++column) {
          const Eigen::Index panel_column = column * panel->dimension(3) / width;
          sheet(0, c, margin + row, left + column) = (*panel)(0, c, panel_row, panel_column);
        }
      }
    }
    left += width + margin;
  }
  return sheet;
}
