#include "tools/bench/framed_client.hpp"

#include <array>
#include <stdexcept>

namespace bench {

namespace {

constexpr std::size_t header_bytes = 8;
constexpr std::string_view error_begin = R"({"status":"err")";

void append_number(std::string& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>((number >> static_cast<unsigned>(shift)) & 255U);
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (const char c : bytes.substr(at, 4)) number = (number << 8U) | static_cast<unsigned char>(c);
  return number;
}

}  // namespace

void script::add(std::string_view statement) {
  append_number(bytes_, static_cast<std::uint32_t>(statement.size()));
  append_number(bytes_, ++statements_);
  bytes_ += statement;
}

void framed_client::run(const script& s) {
  last_reply_ = 0;
  send(s.bytes());
  receive_until(s.statements());
}

void framed_client::ask(std::string_view statement) {
  script one;
  one.add(statement);
  run(one);
}

void framed_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t sent = socket_.send_some(bytes);
    bytes.remove_prefix(sent);
    if (sent > 0) continue;
    // What comes is read meanwhile: the server does not go on with a client that takes no replies.
    socket_.wait(true);
    receive();
  }
}

void framed_client::receive_until(std::uint32_t request_id) {
  while (last_reply_ != request_id) {
    socket_.wait();
    receive();
  }
}

void framed_client::receive() {
  std::array<char, 64U << 10> buffer;
  const auto got = socket_.receive_some(buffer);
  if (!got) return;
  input_.append(buffer.data(), *got);
  if (const std::uint32_t id = take_messages(); id != 0) last_reply_ = id;
}

std::uint32_t framed_client::take_messages() {
  std::uint32_t last = 0;
  std::size_t at = 0;
  while (input_.size() - at >= header_bytes) {
    const std::size_t size = number_at(input_, at);
    if (input_.size() - at - header_bytes < size) break;
    const std::string_view message = std::string_view(input_).substr(at + header_bytes, size);
    if (message.starts_with(error_begin)) throw std::runtime_error("the server says: " + std::string(message));
    last = number_at(input_, at + 4);
    at += header_bytes + size;
  }
  input_.erase(0, at);
  return last;
}

}  // namespace bench
