#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parser/request_reader.hpp"

using pubsubsql::parser::request;
using pubsubsql::parser::request_reader;
using pubsubsql::parser::wire_mode;

namespace {

constexpr std::uint32_t statement_bytes_max = 200;

struct result {
  std::vector<std::pair<std::uint32_t, std::string>> statements;
  request_reader::outcome last = request_reader::outcome::need_more;

  bool operator==(const result&) const = default;
};

/// What comes out of a stream in pieces of that size. Each piece is gone before the next comes.
result read(std::string_view stream, std::size_t piece) {
  request_reader reader(statement_bytes_max);
  result out;
  request r;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    const std::string bytes(stream.substr(at, piece));
    reader.feed(bytes);
    std::array<std::string_view, 3> next;
    std::size_t peeked = reader.peek(next);
    std::size_t taken = 0;
    while ((out.last = reader.next(r)) == request_reader::outcome::ready) {
      if (taken < peeked && r.text.data() != next[taken].data()) std::abort();
      if (taken < peeked && r.text.size() != next[taken].size()) std::abort();
      if (++taken >= peeked) {
        peeked = reader.peek(next);
        taken = 0;
      }
      out.statements.emplace_back(r.id, r.text);
    }
    if (taken < peeked) std::abort();
    if (out.last != request_reader::outcome::need_more) return out;
    reader.park();
    if (reader.held_bytes() > statement_bytes_max + piece + 8) std::abort();
  }
  if (reader.last(r) == request_reader::outcome::ready) out.statements.emplace_back(r.id, r.text);
  return out;
}

/// The numbers of the frames that come out when what is held is let go again and again.
void check_discarding(std::string_view stream, std::size_t piece, const result& whole) {
  request_reader reader(statement_bytes_max);
  std::vector<std::uint32_t> ids;
  request r;
  auto last = request_reader::outcome::need_more;
  for (std::size_t at = 0; at < stream.size() && last == request_reader::outcome::need_more; at += piece) {
    if (reader.held_bytes() > piece) reader.discard();
    const std::string bytes(stream.substr(at, piece));
    reader.feed(bytes);
    for (;;) {
      last = reader.next(r);
      if (last != request_reader::outcome::ready && last != request_reader::outcome::discarded) break;
      if (last == request_reader::outcome::discarded && !r.text.empty()) std::abort();
      ids.push_back(r.id);
    }
    reader.park();
  }
  if (reader.mode() != wire_mode::framed) return;
  if (last != whole.last || ids.size() != whole.statements.size()) std::abort();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != whole.statements[i].first) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const result whole = read(stream, stream.size() + 1);
  if (read(stream, 1) != whole || read(stream, 1 + data[0] % 64U) != whole) std::abort();
  check_discarding(stream, 1 + data[0] % 64U, whole);
  return 0;
}
