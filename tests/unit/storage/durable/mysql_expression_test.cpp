#include "storage/durable/mysql_expression.hpp"

#include <doctest/doctest.h>

using namespace pubsubsql::storage::durable;

TEST_CASE("mysql expressions: intervals have one unit each") {
  for (const auto& [ours, mysqls] : {
           std::pair{"now() + interval '1 hour 30 minutes'", "now() + interval 5400 second"},
           {"now() - interval '1 month 2 days'", "now() - interval 1 month - interval 2 day"},
           {"interval '1 year 00:00:01' + now()", "now() + interval '1 year 00:00:01'"},  // not one of ours
           {"interval '1 year 1 second' + now()", "now() + interval 12 month + interval 1 second"},
           {"date_add(now(), interval '1 month 1.5 seconds')",
            "date_add(date_add(now(), interval 1 month), interval 1500000 microsecond)"},
           {"now() + interval '26:30:00'", "now() + interval 95400 second"},
           {"now() + interval '2 days'", "now() + interval 2 day"},
           {"now() + interval '24 hours'", "now() + interval 86400 second"},
           {"now() + interval 3 day", "now() + interval 3 day"},
       }) {
    CHECK(to_mysql_expression(ours) == mysqls);
  }
}

TEST_CASE("mysql expressions: texts and how they are put together") {
  for (const auto& [ours, mysqls] : {
           std::pair{"'a' || upper('b') || 'c'", "concat(concat('a', upper('b')), 'c')"},
           {R"(lower('A\n'))", R"(lower('A\\n'))"},
           {"if('a' like 'b%', 'it''s', 'x')", "if('a' like ('b%'), 'it''s', 'x')"},
           {"(1 + 2) * 3", "(1 + 2) * 3"},
           {"json_object('a', 1) ->> '$'", "json_object('a', 1) ->> '$'"},  // MySQL's alone
           {"current_timestamp", "current_timestamp()"},
       }) {
    CHECK(to_mysql_expression(ours) == mysqls);
  }
}

TEST_CASE("mysql expressions: what stands for the current time") {
  for (const char* text : {"now()", "current_timestamp", "CURRENT_TIMESTAMP(3)", "localtime"}) {
    CHECK(is_current_time(text));
  }
  for (const char* text : {"now() + interval 1 day", "2024-01-01 00:00:00", "2024-01-01", "upper('now')", ""}) {
    CHECK_FALSE(is_current_time(text));
  }
}
