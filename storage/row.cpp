#include "storage/row.hpp"

namespace pubsubsql::storage {

namespace {

constexpr std::ptrdiff_t varint_bytes_max = 10;

/// Length + 1, so that 0 can say NULL.
std::uint64_t stored_length(const value& v) {
  return v ? v->size() + 1 : 0;
}

std::size_t varint_bytes(std::uint64_t n) {
  std::size_t bytes = 1;
  for (; n >= 0x80; n >>= 7) ++bytes;
  return bytes;
}

char* write_varint(std::uint64_t n, char* out) {
  for (; n >= 0x80; n >>= 7) *out++ = static_cast<char>((n & 0x7fU) | 0x80U);
  *out++ = static_cast<char>(n);
  return out;
}

std::span<const value> without_trailing_nulls(std::span<const value> values) {
  while (values.size() > 1 && !values.back()) values = values.first(values.size() - 1);
  return values;
}

template <typename T>
char* write(T v, char* out) {
  std::memcpy(out, &v, sizeof v);
  return out + sizeof v;
}

}  // namespace

std::uint64_t row_view::read_long_varint(const char*& in) {
  std::uint64_t n = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(*in++);
    n |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if (byte < 0x80) return n;
  }
}

std::size_t row_view::used_size() const {
  const char* length = bytes_ + header_bytes;
  std::size_t texts = 0;
  for (column_index i = 1; i < columns_end(); ++i) {
    const std::uint64_t stored = read_varint(length);
    if (stored > 0) texts += stored - 1;
  }
  return static_cast<std::size_t>(length - bytes_) + texts;
}

bool row_view::read_values(std::string_view bytes, std::vector<value>& values) {
  values.assign(1, std::nullopt);
  if (bytes.size() < header_bytes) return false;
  const row_view row(bytes.data());
  const char* const end = bytes.data() + bytes.size();
  const char* length = bytes.data() + header_bytes;
  const char* text = length;
  for (column_index i = 1; i < row.columns_end(); ++i) {
    const char* const begin = text;
    do {
      if (text == end || text - begin == varint_bytes_max) return false;
    } while (static_cast<unsigned char>(*text++) >= 0x80);
  }
  for (column_index i = 1; i < row.columns_end(); ++i) {
    const std::uint64_t stored = read_varint(length);
    if (stored == 0) {
      values.emplace_back();
      continue;
    }
    if (stored - 1 > static_cast<std::uint64_t>(end - text)) return false;
    values.emplace_back(std::string_view(text, stored - 1));
    text += stored - 1;
  }
  return true;
}

std::size_t encoded_row_bytes(std::span<const value> values) {
  std::size_t bytes = row_view::header_bytes;
  for (const value& v : without_trailing_nulls(values).subspan(1)) {
    bytes += varint_bytes(stored_length(v)) + (v ? v->size() : 0);
  }
  return bytes;
}

void encode_row(row_position position, std::span<const value> values, std::string& out) {
  values = without_trailing_nulls(values);
  const std::size_t size = encoded_row_bytes(values);
  out.resize(size);
  char* p = out.data();
  p = write(row_number{0}, p);
  p = write(static_cast<std::uint32_t>(size), p);
  p = write(position, p);
  p = write(static_cast<std::uint16_t>(values.size() - 1), p);
  for (const value& v : values.subspan(1)) p = write_varint(stored_length(v), p);
  for (const value& v : values.subspan(1)) {
    if (!v || v->empty()) continue;
    std::memcpy(p, v->data(), v->size());
    p += v->size();
  }
}

void encode_published_row(row_position position, std::span<const value> values, std::string& out) {
  encode_row(position, values, out);
  write(no_row, out.data());
}

}  // namespace pubsubsql::storage
