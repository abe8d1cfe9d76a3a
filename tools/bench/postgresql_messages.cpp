#include "tools/bench/postgresql_messages.hpp"

#include <algorithm>
#include <stdexcept>

namespace bench::postgresql {

namespace {

constexpr std::size_t type_bytes = 1;

std::string message_of(char type, const std::string& body) {
  std::string out(1, type);
  append_number(out, static_cast<std::uint32_t>(length_bytes + body.size()), length_bytes);
  return out + body;
}

/// The fields of an error are a letter and a text each.
std::string text_of_error(std::string_view fields) {
  while (!fields.empty() && fields.front() != '\0') {
    const std::string_view field = fields.substr(0, fields.find('\0'));
    if (field.front() == 'M') return std::string(field.substr(1));
    fields.remove_prefix(std::min(field.size() + 1, fields.size()));
  }
  return "an error without a text";
}

}  // namespace

void append_number(std::string& out, std::uint32_t number, unsigned bytes) {
  for (unsigned shift = 8 * bytes; shift > 0; shift -= 8) out += static_cast<char>((number >> (shift - 8)) & 255U);
}

std::string zero_ended(std::string_view text) {
  return std::string(text) + '\0';
}

std::string query(const std::string& sql) {
  return message_of('Q', zero_ended(sql));
}

std::string sync() {
  return message_of('S', "");
}

std::string parse(std::string_view name, const std::string& sql) {
  std::string body = zero_ended(name) + zero_ended(sql);
  append_number(body, 0, 2);
  return message_of('P', body);
}

std::string run(std::string_view name, std::initializer_list<std::string_view> parameters) {
  std::string bind = zero_ended("") + zero_ended(name);
  append_number(bind, 0, 2);
  append_number(bind, static_cast<std::uint32_t>(parameters.size()), 2);
  for (const std::string_view p : parameters) {
    append_number(bind, static_cast<std::uint32_t>(p.size()), 4);
    bind += p;
  }
  append_number(bind, 0, 2);
  std::string execute = zero_ended("");
  append_number(execute, 0, 4);
  return message_of('B', bind) + message_of('E', execute) + sync();
}

std::optional<message> take_message(std::string_view& bytes) {
  if (bytes.size() < type_bytes + length_bytes) return std::nullopt;
  std::size_t length = 0;
  for (const char c : bytes.substr(type_bytes, length_bytes)) length = (length << 8U) | static_cast<unsigned char>(c);
  if (bytes.size() - type_bytes < length) return std::nullopt;
  const message m{bytes.front(), bytes.substr(type_bytes + length_bytes, length - length_bytes)};
  bytes.remove_prefix(type_bytes + length);
  if (m.type == 'E') throw std::runtime_error("PostgreSQL says: " + text_of_error(m.body));
  return m;
}

}  // namespace bench::postgresql
