#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <pubsubsql/parameter.hpp>

#include "client/statement_kind.hpp"

using namespace pubsubsql;

namespace {

/// What the values become.
template <typename... Values>
std::string list_of(const Values&... values) {
  const std::string begin = "execute immediate 'q' using ";
  const std::string text = with_values("q", values...);
  REQUIRE(text.starts_with(begin));
  return text.substr(begin.size());
}

}  // namespace

TEST_CASE("parameters: each type as SQL has it") {
  CHECK(list_of(1, -2, 3U, std::uint64_t{18446744073709551615U}, std::int8_t{-4}) ==
        "1, -2, 3, 18446744073709551615, -4");
  CHECK(list_of(1.5, -0.25F, 1e300, 0.1) == "1.5, -0.25, 1e+300, 0.1");
  CHECK(list_of(true, false, nullptr) == "1, 0, null");
  CHECK(list_of("it's", std::string("a"), std::string_view(), "") == "'it''s', 'a', '', ''");
  CHECK(list_of(std::optional<int>(), std::optional<int>(5), std::optional<std::string>("x"), std::nullopt) ==
        "null, 5, 'x', null");
}

TEST_CASE("parameters: lists of them") {
  const std::vector<parameter> values = {1, "x", nullptr};
  CHECK(with_values("select 'a', ?, ?, ?", values) == "execute immediate 'select ''a'', ?, ?, ?' using 1, 'x', null");
  CHECK(with_values("begin", std::span<const parameter>()) == "execute immediate 'begin'");
}

TEST_CASE("parameters: what SQL has no number for is refused") {
  CHECK_THROWS_AS(parameter(std::numeric_limits<double>::infinity()), error);
  CHECK_THROWS_AS(parameter(std::numeric_limits<double>::quiet_NaN()), error);
}

TEST_CASE("parameters: what merely converts to a bool or a number is no parameter") {
  CHECK_FALSE(std::constructible_from<parameter, int*>);
  CHECK_FALSE(std::constructible_from<parameter, char>);
  CHECK_FALSE(std::constructible_from<parameter, std::vector<int>>);
}

TEST_CASE("parameters: the kind of a statement is that of the one inside") {
  CHECK(kind_of(with_values("subscribe * from t where a = ?", 1)) == statement_kind::subscribe);
  CHECK(kind_of(with_values(" stream insert into t (a) values (?)", 1)) == statement_kind::streamed);
  CHECK(kind_of(with_values("/* c */ unsubscribe from t where pubsubid = ?", 1)) == statement_kind::unsubscribe);
  CHECK(kind_of("stream " + with_values("insert into t (a) values (?)", 1)) == statement_kind::streamed);
  CHECK(kind_of(with_values("select ?", "subscribe")) == statement_kind::ordinary);
  CHECK(kind_of("execute subscribe using 1") == statement_kind::ordinary);
}
