#include "tools/bench/request_source.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace bench;

namespace {

std::string next(request_source& source) {
  std::string bytes(source.bytes_max(), ' ');
  bytes.resize(source.write_next(bytes.data()).bytes);
  return bytes;
}

/// The number behind the last T.
unsigned long row_of(const std::string& request) {
  return std::stoul(request.substr(request.rfind('T') + 1));
}

}  // namespace

TEST_CASE("request_source: operations follow the pattern, inserts have rows of their own") {
  const auto speech = make_framed_dialect();
  request_source source(*speech, {operation::update, operation::select, operation::insert}, 10);
  for (unsigned long i = 0; i < 30; ++i) {
    CHECK(next(source).substr(8).starts_with("update "));
    CHECK(next(source).substr(8).starts_with("select "));
    const std::string insert = next(source);
    CHECK(insert.substr(8).starts_with("insert "));
    CHECK(row_of(insert) == 10 + i);
  }
}

TEST_CASE("request_source: updates and selects are about any of the rows, and no other") {
  const auto speech = make_framed_dialect();
  request_source source(*speech, {operation::select}, 10);
  std::set<unsigned long> seen;
  for (unsigned i = 0; i < 1'000; ++i) seen.insert(row_of(next(source)));
  CHECK(seen.size() == 10);
  CHECK(*seen.rbegin() == 9);
}
