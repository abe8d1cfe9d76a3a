#include "storage/sql/column_type.hpp"

#include <vector>

#include <doctest/doctest.h>

using namespace pubsubsql::storage::sql;

TEST_CASE("column type: what is read is written in MySQL's form") {
  struct example {
    std::string_view input;
    std::string_view expected;
  };
  const std::vector<example> examples = {
      {"int", "int"},
      {"INTEGER", "int"},
      {"int(11)", "int(11)"},
      {"bigint(20) unsigned", "bigint(20) unsigned"},
      {"smallint unsigned zerofill", "smallint(5) unsigned zerofill"},
      {"bool", "tinyint(1)"},
      {"Boolean", "tinyint(1)"},
      {"decimal", "decimal(10,0)"},
      {"decimal(10, 2) unsigned", "decimal(10,2) unsigned"},
      {"numeric(4)", "decimal(4,0)"},
      {"float", "float"},
      {"float(30)", "double"},
      {"float(7,4)", "float(7,4)"},
      {"double precision", "double"},
      {"double(10,2)", "double(10,2)"},
      {"bit", "bit(1)"},
      {"year(4)", "year"},
      {"date", "date"},
      {"time(2)", "time(2)"},
      {"datetime(6)", "datetime(6)"},
      {"timestamp", "timestamp"},
      {"char", "char(1)"},
      {"varchar(255) character set utf8mb4 collate utf8mb4_bin", "varchar(255)"},
      {"text(100)", "text"},
      {"text(70000)", "mediumtext"},
      {"longtext", "longtext"},
      {"json", "json"},
      {"enum('a','it''s','b ')", "enum('a','it''s','b')"},
      {"set('x', 'y')", "set('x','y')"},
      {"binary", "binary(1)"},
      {"varbinary(16)", "varbinary(16)"},
      {"blob", "blob"},
  };
  for (const auto& [input, expected] : examples) {
    CAPTURE(input);
    const auto type = parse_column_type(input, "c");
    REQUIRE(type.has_value());
    CHECK(to_text(*type) == expected);
    const auto again = parse_column_type(to_text(*type), "c");
    REQUIRE(again.has_value());
    CHECK(*again == *type);
  }
}

TEST_CASE("column type: what is wrong has MySQL's number") {
  struct example {
    std::string_view input;
    int code;
  };
  const std::vector<example> examples = {
      {"foo", 4161},
      {"", 1064},
      {"decimal(66,2)", 1426},
      {"decimal(10,39)", 1425},
      {"decimal(5,6)", 1427},
      {"varchar", 1064},
      {"varchar(20000)", 1074},
      {"char(256)", 1074},
      {"enum", 1064},
      {"enum('a','a')", 1291},
      {"datetime(7)", 1426},
      {"int(300)", 1439},
      {"bit(65)", 1439},
      {"float(54)", 1063},
      {"date(3)", 1064},
      {"int unsigned x", 1064},
      {"text unsigned", 1064},
      {"enum('a", 1064},
  };
  for (const auto& [input, code] : examples) {
    CAPTURE(input);
    const auto type = parse_column_type(input, "c");
    REQUIRE(!type.has_value());
    CHECK(type.error().code == code);
  }
}

TEST_CASE("column type: one of a database outside that is not known here stays as it is") {
  CHECK(to_text(foreign_column_type("point")) == "point");
  CHECK(to_text(foreign_column_type("inet6")) == "inet6");
  CHECK(to_text(foreign_column_type("int(11)")) == "int(11)");
}
