#include "parser/request_reader.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "parser/frame.hpp"

using namespace pubsubsql::parser;
using outcome = request_reader::outcome;

namespace {

using requests = std::vector<std::pair<std::uint32_t, std::string>>;

std::string frame(std::uint32_t id, std::string_view text) {
  const auto header = encode({.payload_bytes = static_cast<std::uint32_t>(text.size()), .request_id = id});
  return std::string(header.begin(), header.end()) + std::string(text);
}

/// Feeds the stream in pieces of the given size and returns what comes out.
requests read_all(std::string_view stream, std::size_t piece, std::uint32_t limit = 1000) {
  request_reader reader(limit);
  requests out;
  request r;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    const std::string bytes(stream.substr(at, piece));  // goes away after each feed
    reader.feed(bytes);
    while (reader.next(r) == outcome::ready) out.emplace_back(r.id, r.text);
    reader.park();
  }
  if (reader.last(r) == outcome::ready) out.emplace_back(r.id, r.text);
  CHECK(reader.held_bytes() <= limit + piece);
  return out;
}

}  // namespace

TEST_CASE("frame: the header is big-endian and read back") {
  const auto bytes = encode({.payload_bytes = 0x01020304, .request_id = 0xfffefdfc});
  CHECK(std::string(bytes.begin(), bytes.end()) == std::string("\x01\x02\x03\x04\xff\xfe\xfd\xfc"));
  CHECK(decode_frame_header({bytes.data(), bytes.size()}) ==
        frame_header{.payload_bytes = 0x01020304, .request_id = 0xfffefdfc});
}

TEST_CASE("request reader: frames come out whole, whatever pieces they arrive in") {
  const requests expected = {{1, "status"}, {2, ""}, {0xffffffff, std::string(300, 'x')}, {4, "line\nbreak"}};
  std::string stream;
  for (const auto& [id, text] : expected) stream += frame(id, text);
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) CHECK(read_all(stream, piece) == expected);
}

TEST_CASE("request reader: what is discarded is skipped to its end") {
  const std::string long_text(300, 'x');
  const auto outcomes = [&](const std::string& stream, std::size_t piece, std::size_t held_min) {
    std::vector<std::pair<std::uint32_t, std::string>> out;
    request_reader reader(1000);
    request r;
    const auto note = [&](outcome got) {
      if (got == outcome::ready) out.emplace_back(r.id, r.text);
      if (got == outcome::discarded) out.emplace_back(r.id, "discarded");
      return got == outcome::ready || got == outcome::discarded;
    };
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      if (reader.held_bytes() > held_min) {
        reader.discard();
        CHECK(reader.held_bytes() < frame_header_bytes);
        CHECK(reader.peek({}) == 0);
      }
      const std::string bytes(stream.substr(at, piece));
      reader.feed(bytes);
      while (note(reader.next(r))) {
      }
      reader.park();
    }
    static_cast<void>(note(reader.last(r)));
    return out;
  };
  const std::string frames = frame(1, "status") + frame(2, long_text) + frame(3, "show tables") + frame(4, long_text);
  const std::string lines = "status\n" + long_text + "\nshow tables\n" + long_text;
  for (std::size_t piece = 1; piece <= 100; ++piece) {
    CHECK(outcomes(frames, piece, 120) ==
          requests{{1, "status"}, {2, "discarded"}, {3, "show tables"}, {4, "discarded"}});
    CHECK(outcomes(lines, piece, 120) ==
          requests{{0, "status"}, {0, "discarded"}, {0, "show tables"}, {0, "discarded"}});
  }
  CHECK(outcomes(frame(7, "status"), 1, 0) == requests{{7, "discarded"}});
}

TEST_CASE("request reader: lines come out whole, whatever pieces they arrive in") {
  const std::string stream = "status\r\n\n  \t\n-- comment\nselect * from t where a = 'x'\n;\nshow tables";
  const requests expected = {{0, "status"}, {0, "select * from t where a = 'x'"}, {0, "show tables"}};
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) CHECK(read_all(stream, piece) == expected);
}

TEST_CASE("request reader: the first byte decides") {
  struct example {
    std::string first;
    wire_mode mode;
    outcome result;
  };
  const std::vector<example> examples = {
      {std::string(1, '\0'), wire_mode::framed, outcome::need_more},
      {"\x08", wire_mode::framed, outcome::need_more},
      {"\t", wire_mode::text, outcome::need_more},
      {"\n", wire_mode::text, outcome::need_more},
      {"\r", wire_mode::text, outcome::need_more},
      {" ", wire_mode::text, outcome::need_more},
      {"s", wire_mode::text, outcome::need_more},
      {"~", wire_mode::text, outcome::need_more},
      {"\x0b", wire_mode::unknown, outcome::bad_start},
      {"\x16", wire_mode::unknown, outcome::bad_start},
      {"\x7f", wire_mode::unknown, outcome::bad_start},
      {"\xff", wire_mode::unknown, outcome::bad_start},
  };
  for (const example& e : examples) {
    INFO(static_cast<int>(e.first.front()));
    request_reader reader(1000);
    CHECK(reader.mode() == wire_mode::unknown);
    reader.feed(e.first);
    request r;
    CHECK(reader.next(r) == e.result);
    CHECK(reader.mode() == e.mode);
  }
}

TEST_CASE("request reader: what is too large is refused before it is held") {
  request r;
  SUBCASE("a frame, by its header") {
    request_reader reader(10);
    const std::string fits = frame(6, "0123456789");
    const std::string header = frame(7, "0123456789a").substr(0, 8);
    reader.feed(fits);
    CHECK(reader.next(r) == outcome::ready);
    reader.park();
    reader.feed(header);
    CHECK(reader.next(r) == outcome::too_large);
    CHECK(r.id == 7);
  }
  SUBCASE("a whole line") {
    request_reader reader(10);
    reader.feed("0123456789\n0123456789a\n");
    CHECK(reader.next(r) == outcome::ready);
    CHECK(reader.next(r) == outcome::too_large);
  }
  SUBCASE("not a line that fits, when its CR comes alone") {
    request_reader reader(10);
    reader.feed("0123456789\r");
    CHECK(reader.next(r) == outcome::need_more);
    reader.park();
    reader.feed("\n");
    CHECK(reader.next(r) == outcome::ready);
    CHECK(r.text == "0123456789");
  }
  SUBCASE("a line without end") {
    request_reader reader(10);
    reader.feed("0123456789");
    CHECK(reader.next(r) == outcome::need_more);
    reader.park();
    reader.feed("a");
    CHECK(reader.next(r) == outcome::too_large);
  }
}

TEST_CASE("request reader: statements may be taken after the fed bytes are gone") {
  request_reader reader(100);
  {
    const std::string bytes = "one\ntwo\nthr";
    reader.feed(bytes);
    request r;
    CHECK(reader.next(r) == outcome::ready);
    reader.park();
  }
  request r;
  CHECK(reader.held_bytes() == 7);
  CHECK(reader.next(r) == outcome::ready);
  CHECK(r.text == "two");
  CHECK(reader.next(r) == outcome::need_more);
  reader.park();
  CHECK(reader.held_bytes() == 3);
  reader.feed("ee\n");
  CHECK(reader.next(r) == outcome::ready);
  CHECK(r.text == "three");
  reader.park();
  CHECK(reader.held_bytes() == 0);
}

TEST_CASE("request reader: whole frames can be looked at before they are taken") {
  request_reader reader(100);
  std::array<std::string_view, 2> seen;
  CHECK(reader.peek(seen) == 0);
  const std::string bytes = frame(1, "first") + frame(2, "") + frame(3, "third") + frame(4, "cut off");
  reader.feed(std::string_view(bytes).substr(0, bytes.size() - 1));
  request r;
  REQUIRE(reader.next(r) == request_reader::outcome::ready);
  CHECK(r.text == "first");
  CHECK(reader.peek(seen) == 2);
  CHECK(seen[0].empty());
  CHECK(seen[1] == "third");
  REQUIRE(reader.next(r) == request_reader::outcome::ready);
  CHECK(reader.peek(seen) == 1);
  CHECK(seen[0] == "third");
  REQUIRE(reader.next(r) == request_reader::outcome::ready);
  CHECK(reader.peek(seen) == 0);
}

TEST_CASE("request reader: lines, and frames that are too large, are not looked at") {
  std::array<std::string_view, 4> seen;
  request r;
  request_reader text(100);
  text.feed("status\nstatus\nstatus\n");
  REQUIRE(text.next(r) == request_reader::outcome::ready);
  CHECK(text.peek(seen) == 0);
  request_reader framed(5);
  const std::string bytes = frame(1, "one") + frame(2, "two") + frame(3, "larger") + frame(4, "four");
  framed.feed(bytes);
  REQUIRE(framed.next(r) == request_reader::outcome::ready);
  CHECK(framed.peek(seen) == 1);
}
