#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/protocol.hpp"
#include "parser/frame.hpp"

/// Helpers for tests that speak the wire protocol by hand.
namespace pubsubsql::test {

inline std::string frame(std::uint32_t id, std::string_view payload) {
  const auto header = parser::encode({.payload_bytes = static_cast<std::uint32_t>(payload.size()), .request_id = id});
  return std::string(header.data(), header.size()).append(payload);
}

/// Gives received bytes to the protocol in pieces of a certain size, and collects what comes out.
inline std::vector<protocol::incoming> feed(protocol& p, std::string_view bytes, std::size_t piece = 1 << 20) {
  std::vector<protocol::incoming> out;
  while (!bytes.empty()) {
    const auto room = p.prepare();
    const std::size_t n = std::min({piece, bytes.size(), room.size()});
    std::copy_n(bytes.begin(), n, room.begin());
    p.commit(n);
    bytes.remove_prefix(n);
    while (auto got = p.next()) out.push_back(std::move(*got));
  }
  return out;
}

/// The statements in the output, which is emptied.
inline std::vector<std::string> sent(protocol& p) {
  std::string bytes;
  p.swap_output(bytes);
  std::vector<std::string> statements;
  for (std::string_view rest = bytes; !rest.empty();) {
    const auto header = parser::decode_frame_header(rest);
    statements.emplace_back(rest.substr(parser::frame_header_bytes, header.payload_bytes));
    rest.remove_prefix(parser::frame_header_bytes + header.payload_bytes);
  }
  return statements;
}

inline constexpr std::string_view one_row =
    R"({"status":"ok","action":"select","columns":["id","ticker"],"rows":1,"fromrow":1,"torow":1,"data":[["0","IBM"]]})";
inline constexpr std::string_view inserted = R"({"status":"ok","action":"insert","rows":1})";

inline std::string subscribed(int pubsubid) {
  return R"({"status":"ok","action":"subscribe","pubsubid":")" + std::to_string(pubsubid) + R"("})";
}

inline std::string pushed(std::string_view action, int pubsubid, std::string_view ticker) {
  return R"({"status":"ok","action":")" + std::string(action) + R"(","pubsubid":")" + std::to_string(pubsubid) +
         R"(","columns":["id","ticker"],"rows":1,"fromrow":1,"torow":1,"data":[["0",")" + std::string(ticker) +
         R"("]]})";
}

}  // namespace pubsubsql::test
