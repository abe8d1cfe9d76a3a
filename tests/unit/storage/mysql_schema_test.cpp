#include "storage/durable/mysql_schema.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace pubsubsql::storage;
using namespace pubsubsql::storage::durable;

namespace {

std::string read(mysql_form form, std::string_view from) {
  std::string scratch;
  return std::string(from_mysql(form, from, scratch).value_or("NULL"));
}

std::string written(mysql_form form, std::string_view text) {
  std::string scratch;
  return std::string(to_mysql(form, text, scratch).value_or("NULL"));
}

mysql_column column(std::string_view name, std::string_view type, mysql_form form = mysql_form::text) {
  mysql_column c;
  c.name = name;
  c.facts.type = type;
  c.form = form;
  return c;
}

mysql_table table_of(std::vector<mysql_column> columns, std::vector<column_index> address) {
  mysql_table t;
  t.name = "t";
  t.columns = std::move(columns);
  t.own_id = address.empty();
  t.address = std::move(address);
  return t;
}

std::string repeated(std::string_view s, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += s;
  return out;
}

/// The name between the last pair of backquotes.
std::string last_name(const std::string& sql) {
  const std::size_t end = sql.rfind('`');
  const std::size_t begin = sql.rfind('`', end - 1) + 1;
  return sql.substr(begin, end - begin);
}

std::size_t characters(std::string_view text) {
  std::size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xc0U) != 0x80U ? 1 : 0;
  return n;
}

using std::string_literals::operator""s;

}  // namespace

TEST_CASE("mysql_schema: values of MySQL as memory holds them") {
  struct test_case {
    mysql_form form;
    std::string from;
    std::string text;
  };
  const std::vector<test_case> cases = {
      {mysql_form::text, "", ""},
      {mysql_form::text, "0x41", "0x41"},
      {mysql_form::bytes, "", "0x"},
      {mysql_form::bytes, "\0\x01\xfeZ"s, "0x0001fe5a"},
      {mysql_form::bits, "18446744073709551615", "18446744073709551615"},
      {mysql_form::floating, "0.10000000149011612", "0.1"},
      {mysql_form::floating, "-0.5", "-0.5"},
      {mysql_form::floating, "0", "0"},
      {mysql_form::floating, "16777216", "16777216"},
      {mysql_form::floating, "123456792", "123456790"},
      {mysql_form::floating, "100000", "100000"},
      {mysql_form::floating, "33333.33203125", "33333.332"},
      {mysql_form::floating, "1.2345999479293823", "1.2346"},
      {mysql_form::floating, "100000000376832", "100000000000000"},
      {mysql_form::floating, "999999986991104", "1e15"},
      {mysql_form::floating, "3.4028234663852886e38", "3.4028235e38"},
      {mysql_form::floating, "-3.4028234663852886e38", "-3.4028235e38"},
      {mysql_form::floating, "1.401298464324817e-45", "1e-45"},
      {mysql_form::floating, "0.00000015", "0.00000015"},
      {mysql_form::floating, "1.0000000036274937e-15", "0.000000000000001"},
      {mysql_form::floating, "1.0000000168623835e-16", "1e-16"},
  };
  for (const test_case& c : cases) {
    CAPTURE(c.from);
    CHECK(read(c.form, c.from) == c.text);
    CHECK(read(c.form, written(c.form, c.text)) == (c.form == mysql_form::bits ? repeated("\xff", 8) : c.text));
  }
}

TEST_CASE("mysql_schema: values of memory as MySQL takes them") {
  struct test_case {
    mysql_form form;
    std::string text;
    std::string parameter;
  };
  const std::vector<test_case> cases = {
      {mysql_form::text, "0x41", "0x41"},
      {mysql_form::bytes, "0x", ""},
      {mysql_form::bytes, "0x00FFfe", "\0\xff\xfe"s},
      {mysql_form::bytes, "0x0", "0x0"},
      {mysql_form::bytes, "0xzz", "0xzz"},
      {mysql_form::bytes, "0x4g", "0x4g"},
      {mysql_form::bytes, "0X41", "0X41"},
      {mysql_form::bytes, "plain", "plain"},
      {mysql_form::bytes, "", ""},
      {mysql_form::bits, "0", "\0"s},
      {mysql_form::bits, "1", "\x01"},
      {mysql_form::bits, "300", "\x01\x2c"},
      {mysql_form::bits, "18446744073709551615", repeated("\xff", 8)},
      {mysql_form::bits, "18446744073709551616", "18446744073709551616"},
      {mysql_form::bits, "0x0101", "\x01\x01"},
      {mysql_form::bits, "-1", "-1"},
      {mysql_form::bits, "", ""},
      {mysql_form::floating, "0.1", "0.10000000149011612"},
      {mysql_form::floating, "1.5", "1.5"},
      {mysql_form::floating, "3.4028235e38", "3.4028234663852886e+38"},
      {mysql_form::floating, "1e39", "1e39"},
      {mysql_form::floating, "abc", "abc"},
      {mysql_form::floating, "1.5x", "1.5x"},
      {mysql_form::floating, "inf", "inf"},
      {mysql_form::floating, "nan", "nan"},
      {mysql_form::floating, "", ""},
  };
  for (const test_case& c : cases) {
    CAPTURE(c.text);
    CHECK(written(c.form, c.text) == c.parameter);
  }
}

TEST_CASE("mysql_schema: NULL stays NULL, and text is not copied") {
  std::string scratch;
  for (const mysql_form form : {mysql_form::text, mysql_form::bytes, mysql_form::bits, mysql_form::floating}) {
    CHECK(from_mysql(form, std::nullopt, scratch) == std::nullopt);
    CHECK(to_mysql(form, std::nullopt, scratch) == std::nullopt);
  }
  const std::string_view text = "text";
  CHECK(from_mysql(mysql_form::text, text, scratch)->data() == text.data());
  CHECK(to_mysql(mysql_form::text, text, scratch)->data() == text.data());
}

TEST_CASE("mysql_schema: every byte comes back") {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  CHECK(written(mysql_form::bytes, read(mysql_form::bytes, bytes)) == bytes);
}

TEST_CASE("mysql_schema: SQL to read rows") {
  struct test_case {
    mysql_table table;
    std::string list;
    std::string order;
    std::string condition;
  };
  const std::vector<test_case> cases = {
      {table_of({}, {}), "`id`", "ORDER BY `id`", "`id` = ?"},
      {table_of({column("a`b", "varchar(9)"), column("select", "int(5) unsigned zerofill")}, {}),
       "`id`, `a``b`, CAST(`select` AS CHAR)", "ORDER BY `id`", "`id` = ?"},
      {table_of({column("k", "decimal(30,2) unsigned"), column("b", "bit(3)", mysql_form::bits)}, {2, 1}),
       "`k`, `b` + 0", "ORDER BY `b`, `k`",
       "`b` = CAST(CONV(HEX(?), 16, 10) AS UNSIGNED) AND `k` = CAST(? AS decimal(30,2))"},
      {table_of({column("f", "float", mysql_form::floating), column("t", "datetime(6)"), column("d", "double(5,2)"),
                 column("v", "varbinary(5)", mysql_form::bytes), column("date", "longtext")},
                {1}),
       "CAST(`f` * 1E0 AS CHAR), CAST(`t` AS CHAR), CAST(`d` AS CHAR), `v`, `date`", "ORDER BY `f`", "`f` = ?"},
  };
  for (const test_case& c : cases) {
    CHECK(select_list(c.table) == c.list);
    CHECK(order_by_address(c.table) == c.order);
    CHECK(address_condition(c.table) == c.condition);
  }
  mysql_table without = table_of({column("a", "int")}, {});
  without.own_id = false;
  CHECK(order_by_address(without).empty());
  CHECK(select_list(without) == "`a`");
}

TEST_CASE("mysql_schema: SQL to take things away") {
  CHECK(drop_table_sql("a`b") == "DROP TABLE `a``b`");
  CHECK(drop_column_sql("t", "a`b") == "ALTER TABLE `t` DROP COLUMN `a``b`");
  CHECK(drop_index_sql("t", "a`b") == "ALTER TABLE `t` DROP INDEX `pubsubsql_a``b`");
}

TEST_CASE("mysql_schema: names of indexes fit and differ") {
  const std::string longest_whole(54, 'q');
  CHECK(last_name(drop_index_sql("t", longest_whole)) == "pubsubsql_" + longest_whole);
  CHECK(last_name(drop_index_sql("t", repeated("ä", 54))) == "pubsubsql_" + repeated("ä", 54));
  const std::vector<std::string> cut = {longest_whole + "r",     longest_whole + "s",     longest_whole + "rs",
                                        repeated("ä", 55),       repeated("ä", 54) + "€", repeated("€", 64),
                                        "x" + repeated("€", 63), repeated("€", 63) + "ä"};
  std::vector<std::string> names;
  for (const std::string& name : cut) names.push_back(last_name(drop_index_sql("t", name)));
  for (std::size_t i = 0; i < names.size(); ++i) {
    CAPTURE(names[i]);
    CHECK(characters(names[i]) == 64);
    CHECK((static_cast<unsigned char>(names[i][names[i].size() - 10]) & 0xc0U) != 0xc0U);  // no character cut in two
    for (std::size_t j = 0; j < i; ++j) CHECK(names[i] != names[j]);
  }
}

TEST_CASE("mysql_schema: collations of made tables") {
  CHECK(made_collation(true, 101'119) == "utf8mb4_nopad_bin");
  CHECK(made_collation(true, 100'100) == "utf8mb4_bin");
  CHECK(made_collation(false, 80'400) == "utf8mb4_0900_bin");
  CHECK(made_collation(false, 80'017) == "utf8mb4_0900_bin");
  CHECK(made_collation(false, 80'016) == "utf8mb4_bin");
  CHECK(made_collation(false, 50'744) == "utf8mb4_bin");
}

TEST_CASE("mysql_schema: what the engine is told of a table") {
  mysql_table t = table_of({column("k", "int(11)"), column("ID", "text")}, {1});
  t.columns[0].index = index_kind::key;
  t.columns[0].facts.nullable = false;
  t.hides_id = true;
  t.next_id = 7;
  t.read_only_reason = "why";
  const table_description d = t.description();
  CHECK(d.name == "t");
  REQUIRE(d.columns.size() == 2);
  CHECK(d.columns[0].name == "k");
  CHECK(d.columns[0].index == index_kind::key);
  REQUIRE(d.columns[0].facts);
  CHECK(d.columns[0].facts->type == "int(11)");
  CHECK(!d.columns[0].facts->nullable);
  CHECK(d.columns[1].index == index_kind::none);
  CHECK(d.next_id == 7);
  CHECK(d.sequence == 0);
  CHECK(d.hides_id);
  CHECK(d.read_only_reason == "why");

  CHECK(t.find("k") == column_index{1});
  CHECK(t.find("ID") == column_index{2});
  CHECK(t.find("id") == std::nullopt);
  CHECK(t.find("K") == std::nullopt);
  t.hides_id = false;
  CHECK(t.find("id") == id_column);
}

TEST_CASE("mysql_schema: rows are read back when MySQL may have its own mind") {
  mysql_table t = new_mysql_table("t");
  CHECK(t.own_id);
  CHECK(!t.needs_read_back());
  t.columns.push_back(new_mysql_column("c"));
  CHECK(!t.needs_read_back());

  using member = bool mysql_column::*;
  for (const member m : {&mysql_column::may_alter, &mysql_column::generated, &mysql_column::auto_increment,
                         &mysql_column::has_default}) {
    mysql_table other = t;
    other.columns[0].*m = true;
    CHECK(other.needs_read_back());
  }
  t.has_triggers = true;
  CHECK(t.needs_read_back());
}

TEST_CASE("mysql_schema: spaces that MySQL would cut") {
  struct test_case {
    std::string_view type;
    std::uint64_t length_max;
    value text;
    bool cut;
  };
  const std::vector<test_case> cases = {
      {"varchar(3)", 3, "abc", false}, {"varchar(3)", 3, "ab ", false},        {"varchar(3)", 3, "abc ", true},
      {"varchar(3)", 3, "ää ", false}, {"varchar(3)", 3, "äää ", true},        {"varchar(3)", 3, "abcd", false},
      {"tinytext", 3, "ää ", true},    {"varchar(3)", 3, std::nullopt, false}, {"int(3)", 0, "1 ", false},
      {"varchar(3)", 3, "", false},
  };
  for (const test_case& c : cases) {
    mysql_column of = column("c", c.type);
    of.length_max = c.length_max;
    CHECK(may_be_cut(of, c.text) == c.cut);
  }
}
