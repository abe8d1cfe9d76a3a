#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace bench {

/// A TCP connection to a server on this machine that never waits unless asked to. Everything throws std::system_error;
/// the end of the stream throws std::runtime_error. Used by one thread at a time.
class stream_socket {
 public:
  /// Connects (this waits), without Nagle's algorithm.
  explicit stream_socket(std::uint16_t port);
  ~stream_socket();
  stream_socket(stream_socket&& other) noexcept;
  stream_socket& operator=(stream_socket&& other) noexcept;

  /// For epoll and poll. It stays the owner.
  [[nodiscard]] int descriptor() const { return descriptor_; }

  /// Sends what the kernel takes now; returns how much that was.
  [[nodiscard]] std::size_t send_some(std::string_view bytes);
  /// Receives what is there, up to the buffer's size; nothing when nothing is.
  [[nodiscard]] std::optional<std::size_t> receive_some(std::span<char> buffer);

  /// Waits until there is something to read, or until something can be written if `to_write`.
  void wait(bool to_write = false) const;

 private:
  int descriptor_ = -1;
};

}  // namespace bench
