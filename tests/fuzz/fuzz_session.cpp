#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "parser/frame.hpp"
#include "parser/parser.hpp"
#include "parser/request_reader.hpp"
#include "server/reply_encoder.hpp"
#include "storage/database.hpp"
#include "storage/durable/statement_changes.hpp"
#include "storage/table.hpp"

using namespace pubsubsql;
using parser::request_reader;

namespace {

/// Small enough that an input meets the limits.
constexpr std::uint32_t statement_bytes_max = 4096;
constexpr storage::limits limits{.columns_max = 50,
                                 .row_bytes_max = 4096,
                                 .result_bytes_max = 1U << 20,
                                 .statement_steps_max = 100'000,
                                 .statement_memory_max = 1U << 20,
                                 .rows_max = 1000};

/// Takes messages off the output, each of which must be JSON, and the framing right.
void check(std::string_view out, parser::wire_mode mode) {
  while (!out.empty()) {
    std::size_t skipped = 0;
    std::size_t bytes = out.find('\n');
    if (mode == parser::wire_mode::framed) {
      skipped = parser::frame_header_bytes;
      if (out.size() < skipped) std::abort();
      bytes = 0;
      for (std::size_t i = 0; i < 4; ++i) bytes = bytes << 8U | static_cast<unsigned char>(out[i]);
    }
    if (bytes > out.size() - skipped) std::abort();
    const std::string_view message = out.substr(skipped, bytes);
    if (!nlohmann::json::accept(message) || message.find('\n') != std::string_view::npos) std::abort();
    out.remove_prefix(skipped + bytes + (mode == parser::wire_mode::text ? 1 : 0));
  }
}

/// One client's bytes, from the network to the bytes that go back: what a session and a worker do with them.
class conversation {
 public:
  void run(std::string_view stream, std::size_t piece) {
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      const std::string bytes(stream.substr(at, piece));
      reader_.feed(bytes);
      parser::request r;
      request_reader::outcome got = request_reader::outcome::need_more;
      while ((got = reader_.next(r)) == request_reader::outcome::ready) answer(r);
      if (got != request_reader::outcome::need_more) return;
      reader_.park();
    }
    parser::request r;
    if (reader_.last(r) == request_reader::outcome::ready) answer(r);
  }

 private:
  void answer(const parser::request& r) {
    std::string out;
    const server::reply_address to{.mode = reader_.mode(), .request_id = r.id};
    parser::statement_arena arena;
    const auto parsed = parser::parse(r.text, arena);
    if (!parsed) {
      encode_error(out, to, parsed.error());
    } else {
      const storage::outcome& o =
          database_.execute(*parsed, {.pubsubid = ++last_pubsubid_, .now_us = 1'700'000'000'000'000});
      encode_reply(out, to, o, lists_);
      if (!o.failure) follow(out, o);
    }
    check(out, to.mode);
  }

  /// The events go out, and the changes to a store, which has to read them as they were written.
  void follow(std::string& out, const storage::outcome& o) {
    server::encoded_event encoded;
    for (const storage::event& e : o.events) {
      encode_event(encoded, *o.about, e, lists_);
      for (const storage::event_target& target : e.targets) append_event(out, reader_.mode(), encoded, target.pubsubid);
    }
    if (o.changes.empty()) return;
    const storage::durable::statement_changes changes(*o.about, o.changes);
    std::string written;
    changes.encode(written);
    const auto read = storage::durable::statement_changes::decode(written);
    std::string again;
    if (read == nullptr) std::abort();
    read->encode(again);
    if (again != written) std::abort();
  }

  request_reader reader_{statement_bytes_max};
  storage::database database_{limits};
  server::column_lists lists_;
  std::uint64_t last_pubsubid_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  conversation().run({reinterpret_cast<const char*>(data) + 1, size - 1}, 1 + data[0]);
  return 0;
}
