#pragma once

#include <optional>
#include <string>

namespace pubsubsql::server::tls {

/// A private key's text, wiped from memory when it goes.
class key_text {
 public:
  key_text() = default;
  ~key_text();
  key_text(const key_text&) = delete;
  key_text& operator=(const key_text&) = delete;

  /// Reads a file that nobody but its owner may read; one of root's also its group. Returns what is wrong, for the
  /// user.
  [[nodiscard]] std::optional<std::string> read(const std::string& file);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  [[nodiscard]] std::optional<std::string> read_open(int descriptor, const std::string& file);

  std::string text_;
};

}  // namespace pubsubsql::server::tls
