#include "client/cli/progress.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>

namespace pubsubsql::cli {

std::string progress_text(std::uint64_t done, std::uint64_t total, std::uint64_t count, std::string_view noun,
                          double seconds) {
  constexpr std::size_t cells = 30;
  std::string text;
  if (total != 0) {
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const auto full = static_cast<std::size_t>(part * cells);
    std::array<char, 16> percent{};
    std::snprintf(percent.data(), percent.size(), "] %3d%%  ", static_cast<int>(part * 100));
    text = "[" + std::string(full, '#') + std::string(cells - full, '.') + percent.data();
  }
  text += std::to_string(count) + ' ' + std::string(noun);
  if (seconds > 0) {
    text += "  " + std::to_string(static_cast<std::uint64_t>(static_cast<double>(count) / seconds)) + "/s";
  }
  return text;
}

void progress_bar::show(std::uint64_t done, std::uint64_t total, std::uint64_t count) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  visible_ = true;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  out_ << "\r\x1b[K" << progress_text(done, total, count, noun_, seconds) << std::flush;
}

void progress_bar::clear() {
  if (visible_) out_ << "\r\x1b[K" << std::flush;
  visible_ = false;
}

}  // namespace pubsubsql::cli
