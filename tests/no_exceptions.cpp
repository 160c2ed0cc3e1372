// Built with -fno-exceptions: a bad argument calls the user's handler with the text, then aborts.
//   no_exceptions exits     the handler ends the process itself
//   no_exceptions returns   the handler returns, and the library aborts
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <unistd.h>

#include <eigenpool/eigenpool.hpp>

namespace {

bool handler_saw_the_text = false;

void note_text(const char* text) {
  handler_saw_the_text = std::strcmp(text, "max_pool2d: kernel[0] is 0, must be at least 1") == 0;
  if (!handler_saw_the_text) std::fprintf(stderr, "the handler got: %s\n", text);
}

void note_text_and_exit(const char* text) {
  note_text(text);
  _exit(handler_saw_the_text ? 0 : 1);
}

// The abort that must follow a handler that returns.
void on_abort(int) { _exit(handler_saw_the_text ? 0 : 1); }

}  // namespace

int main(int argc, char** argv) {
  const bool handler_returns = argc == 2 && std::string_view(argv[1]) == "returns";
  if (handler_returns) std::signal(SIGABRT, on_abort);
  eigenpool::set_error_handler(handler_returns ? note_text : note_text_and_exit);

  Eigen::Tensor<float, 4, Eigen::RowMajor> x(1, 1, 4, 4);
  x.setZero();
  const Eigen::Tensor<float, 4, Eigen::RowMajor> y = eigenpool::max_pool2d(x, {.kernel = 0});
  std::fprintf(stderr, "max_pool2d returned %ld cells\n", static_cast<long>(y.size()));
  return 1;
}
