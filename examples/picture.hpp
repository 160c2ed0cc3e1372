// Pictures as tensors, read from and written to PNG files.
#pragma once

#include <unsupported/Eigen/CXX11/Tensor>

#include <string>

// 1 x channels x height x width, grey (1) or red, green, blue (3), each value from 0 to 255.
using Picture = Eigen::Tensor<float, 4, Eigen::RowMajor>;

// Both throw std::runtime_error; its text is one line that names the file and says what is wrong.
// Any 8-bit PNG is read: palettes become colours, and transparent pixels are shown on white.
Picture read_png(const std::string& path);
void write_png(const std::string& path, const Picture& picture);

// Panels side by side on a grey ground, each enlarged to the first one's size by repeating pixels.
Picture side_by_side(const Picture& first, const Picture& second, const Picture& third);
