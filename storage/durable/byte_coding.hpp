#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// Numbers and texts as bytes, one after the other, little-endian.
namespace pubsubsql::storage::durable {

template <typename T>
void put(std::string& out, T v) {
  out.append(reinterpret_cast<const char*>(&v), sizeof v);
}

inline void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

/// Takes things off the front of some bytes; once something is missing, everything is.
class byte_reader {
 public:
  explicit byte_reader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  T take() {
    T v{};
    if (const auto raw = take(sizeof v); good_) std::memcpy(&v, raw.data(), sizeof v);
    return v;
  }
  std::string_view take(std::size_t bytes) {
    good_ = good_ && bytes <= rest_.size();
    if (!good_) return {};
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }
  std::string_view take_text() { return take(take<std::uint32_t>()); }
  /// Whether the next byte is 0 or 1, which is then `to`.
  void take_flag(bool& to) {
    const auto byte = take<std::uint8_t>();
    good_ = good_ && byte <= 1;
    to = good_ && byte == 1;
  }
  /// What follows makes no sense.
  void fail() { good_ = false; }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace pubsubsql::storage::durable
