#include "server/row_conflater.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace pubsubsql::server;
using pubsubsql::storage::event_action;
using json_value = nlohmann::json;

namespace {

using column_names = std::vector<std::string>;

encoded_event event(event_action action, std::int64_t row, const column_names& names,
                    const std::vector<json_value>& values) {
  encoded_event e;
  e.action = action;
  e.head = event_head(action);
  e.columns = "\",\"columns\":" + json_value(names).dump();
  e.rows = json_value(values).dump();
  e.parts = {{.row = row, .end = e.rows.size()}};
  return e;
}

/// What an event says, as `action [column=value ...]`.
std::string said(const encoded_event& e) {
  const json_value names = json_value::parse(e.columns.substr(e.columns.find('[')));
  const json_value values = json_value::parse(e.rows);
  std::string text = e.head.substr(e.head.find("action\":\"") + 9);
  text.resize(text.find('"'));
  for (std::size_t i = 0; i < names.size(); ++i) text += " " + names[i].get<std::string>() + "=" + values[i].dump();
  return text;
}

std::vector<std::string> take_all(row_conflater& c) {
  std::vector<std::string> all;
  encoded_event e;
  while (!c.empty()) {
    const std::uint64_t pubsubid = c.take_first(e);
    all.push_back(std::to_string(pubsubid) + " " + said(e));
  }
  CHECK(c.bytes() == 0);
  return all;
}

using texts = std::vector<std::string>;

const column_names ab{"id", "a", "b"};

}  // namespace

TEST_CASE("conflater: what events of one row come to") {
  const auto add = event(event_action::add, 1, ab, {"1", "x", "y"});
  const auto insert = event(event_action::insert, 1, ab, {"1", "x", "y"});
  const auto set_a = event(event_action::update, 1, {"id", "a"}, {"1", "A"});
  const auto set_b = event(event_action::update, 1, {"id", "b"}, {"1", nullptr});
  const auto remove = event(event_action::remove, 1, ab, {"1", "r", "r"});
  const auto deleted = event(event_action::delete_row, 1, ab, {"1", "d", "d"});
  struct example {
    const char* name;
    std::vector<encoded_event> events;
    texts expected;
    std::size_t superfluous;
  };
  const std::vector<example> examples{
      {"an insert", {insert}, {R"(7 insert id="1" a="x" b="y")"}, 0},
      {"an insert and its updates", {insert, set_b, set_a}, {R"(7 insert id="1" a="A" b=null)"}, 2},
      {"a row that comes and goes", {add, set_a, deleted}, {}, 3},
      {"updates of the same columns", {set_a, set_a}, {R"(7 update id="1" a="A")"}, 1},
      {"updates of different columns", {set_a, set_b}, {R"(7 update id="1" a="A" b=null)"}, 1},
      {"an update and a delete", {set_a, deleted}, {R"(7 delete id="1" a="d" b="d")"}, 1},
      {"a row that goes and comes", {remove, add}, {R"(7 update id="1" a="x" b="y")"}, 1},
      {"a row that goes, comes and goes", {remove, add, deleted}, {R"(7 delete id="1" a="d" b="d")"}, 2},
      {"a row that comes with other columns",
       {deleted, event(event_action::insert, 1, {"id", "c"}, {"1", "z"})},
       {R"(7 delete id="1" a="d" b="d")", R"(7 insert id="1" c="z")"},
       0},
      {"an update that knows a new column",
       {insert, event(event_action::update, 1, {"id", "new"}, {"1", "n"})},
       {R"(7 insert id="1" a="x" b="y" new="n")"},
       1},
  };
  for (const example& x : examples) {
    CAPTURE(x.name);
    row_conflater c;
    std::size_t superfluous = 0;
    for (const encoded_event& e : x.events) superfluous += c.fold(7, e);
    CHECK(superfluous == x.superfluous);
    CHECK(take_all(c) == x.expected);
  }
}

TEST_CASE("conflater: values are kept as they are written") {
  row_conflater c;
  (void)c.fold(1, event(event_action::insert, 1, ab, {"1", R"(a"],\[)", ""}));
  (void)c.fold(1, event(event_action::update, 1, {"id", "b"}, {"1", "\\"}));
  CHECK(take_all(c) ==
        texts{"1 insert id=\"1\" a=" + json_value(R"(a"],\[)").dump() + " b=" + json_value("\\").dump()});
}

TEST_CASE("conflater: a row keeps the place of its last event, and rows of two subscriptions are two") {
  row_conflater c;
  const auto set = [](std::int64_t row, const char* to) {
    return event(event_action::update, row, {"id", "a"}, {std::to_string(row), to});
  };
  (void)c.fold(1, set(1, "old"));
  (void)c.fold(2, set(1, "other"));
  (void)c.fold(1, set(2, "b"));
  (void)c.fold(1, set(1, "new"));
  CHECK(take_all(c) == texts{R"(2 update id="1" a="other")", R"(1 update id="2" a="b")", R"(1 update id="1" a="new")"});
}

TEST_CASE("conflater: what a subscription that ended had is gone") {
  row_conflater c;
  (void)c.fold(1, event(event_action::insert, 1, ab, {"1", "x", "y"}));
  (void)c.fold(2, event(event_action::insert, 1, ab, {"1", "x", "y"}));
  c.forget(1);
  CHECK(take_all(c) == texts{R"(2 insert id="1" a="x" b="y")"});
}

TEST_CASE("conflater: events of several rows") {
  encoded_event e = event(event_action::insert, 5, ab, {"5", "x", "y"});
  e.rows += R"(,["6","z",null])";
  e.parts.push_back({.row = 6, .end = e.rows.size()});
  e.count = 2;
  row_conflater c;
  (void)c.fold(1, e);
  CHECK(take_all(c) == texts{R"(1 insert id="5" a="x" b="y")", R"(1 insert id="6" a="z" b=null)"});
}

namespace {

/// What a subscriber knows; fails on events that cannot be.
class replayed_rows {
 public:
  using row = std::map<std::string, json_value>;

  void apply(const encoded_event& e) {
    const json_value names = json_value::parse(e.columns.substr(e.columns.find('[')));
    const json_value values = json_value::parse(e.rows);
    row r;
    for (std::size_t i = 0; i < names.size(); ++i) r[names[i]] = values[i];
    const auto known = rows_.find(r["id"]);
    if (e.action == event_action::add || e.action == event_action::insert) {
      REQUIRE(known == rows_.end());
      rows_[r["id"]] = r;
    } else {
      REQUIRE(known != rows_.end());
      if (e.action == event_action::update) {
        for (const auto& [name, value] : r) known->second[name] = value;
      } else {
        rows_.erase(known);
      }
    }
  }

  bool operator==(const replayed_rows&) const = default;

 private:
  std::map<json_value, row> rows_;
};

/// A table of a few rows that changes at random.
class changing_table {
 public:
  explicit changing_table(unsigned seed) : random_(seed) {}

  encoded_event change() {
    const std::int64_t id = pick(8);
    if (!present_[id]) {
      present_[id] = true;
      return event(pick(2) == 0 ? event_action::add : event_action::insert, id, ab, {name(id), value(), value()});
    }
    switch (pick(4)) {
      case 0:
        present_[id] = false;
        return event(pick(2) == 0 ? event_action::remove : event_action::delete_row, id, ab,
                     {name(id), value(), value()});
      case 1:
        return event(event_action::update, id, {"id", "a"}, {name(id), value()});
      case 2:
        return event(event_action::update, id, {"id", "b", "a"}, {name(id), value(), value()});
      default:
        return event(event_action::update, id, {"id", "b"}, {name(id), value()});
    }
  }

  std::int64_t pick(std::int64_t below) { return std::uniform_int_distribution<std::int64_t>(0, below - 1)(random_); }

 private:
  static json_value name(std::int64_t id) { return std::to_string(id); }
  json_value value() { return pick(5) == 0 ? json_value(nullptr) : json_value(std::to_string(++last_value_)); }

  std::mt19937 random_;
  std::map<std::int64_t, bool> present_;
  int last_value_ = 0;
};

}  // namespace

TEST_CASE("conflater: whatever is folded, and whenever some is taken, ends in the same state") {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    changing_table table(seed);
    replayed_rows all;
    replayed_rows folded;
    row_conflater c;
    std::size_t made = 0;
    std::size_t superfluous = 0;
    std::size_t taken = 0;
    encoded_event out;
    const auto take = [&] {
      (void)c.take_first(out);
      folded.apply(out);
      ++taken;
    };
    for (int i = 0; i < 300; ++i, ++made) {
      const encoded_event e = table.change();
      all.apply(e);
      superfluous += c.fold(1, e);
      for (std::int64_t n = table.pick(3) == 0 ? table.pick(5) : 0; n > 0 && !c.empty(); --n) take();
    }
    while (!c.empty()) take();
    CHECK(folded == all);
    CHECK(made == superfluous + taken);
  }
}

TEST_CASE("conflater: what is published stays, each message in its place") {
  row_conflater c;
  CHECK(c.fold(7, event(event_action::publish, INT64_MIN + 1, ab, {nullptr, "x", "y"})) == 0);
  CHECK(c.fold(7, event(event_action::insert, 1, ab, {"1", "x", "y"})) == 0);
  CHECK(c.fold(7, event(event_action::publish, INT64_MIN + 2, ab, {nullptr, "x", "y"})) == 0);
  CHECK(c.fold(7, event(event_action::delete_row, 1, ab, {"1", "x", "y"})) == 2);
  CHECK(take_all(c) == texts{R"(7 publish id=null a="x" b="y")", R"(7 publish id=null a="x" b="y")"});
}
