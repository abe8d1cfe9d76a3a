#include "storage/access_path.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "storage/sql/number_text.hpp"

using namespace pubsubsql::storage;
namespace parser = pubsubsql::parser;

namespace {

using text = std::optional<std::string>;

bool is_number(const std::string& s) {
  return sql::looks_like_number(s);
}

/// As columns without a type compare.
int compare(const std::string& a, const std::string& b) {
  if (!is_number(a) || !is_number(b)) return a.compare(b);
  const long double x = std::strtold(a.c_str(), nullptr);
  const long double y = std::strtold(b.c_str(), nullptr);
  return x < y ? -1 : x > y ? 1 : 0;
}

/// As they are ordered: NULL, numbers, other texts.
int compare_order(const text& a, const text& b) {
  const auto rank = [](const text& t) { return !t ? 0 : is_number(*t) ? 1 : 2; };
  if (rank(a) != rank(b)) return rank(a) - rank(b);
  return a ? compare(*a, *b) : 0;
}

text cell(const table& t, row_number row, column_index column) {
  if (column == id_column) return std::to_string(t.get(row).id());
  const value v = t.get(row).at(column);
  return v ? text(*v) : text();
}

bool meets(const text& v, const column_atom& a) {
  switch (a.demands) {
    case column_atom::kind::is_null:
      return !v;
    case column_atom::kind::is_not_null:
      return v.has_value();
    case column_atom::kind::equal:
      return v && std::ranges::find(a.values, *v) != a.values.end();
    case column_atom::kind::range:
      if (!v) return false;
      if (a.lower && (compare(*v, a.lower->text) < (a.lower->inclusive ? 0 : 1))) return false;
      return !a.upper || compare(*v, a.upper->text) <= (a.upper->inclusive ? 0 : -1);
  }
  return false;
}

bool meets(const table& t, row_number row, const conjunction& c) {
  return std::ranges::all_of(c.atoms, [&](const column_atom& a) { return meets(cell(t, row, a.column), a); });
}

std::vector<row_number> all_rows(const table& t) {
  std::vector<row_number> rows;
  t.find_all(rows);
  return rows;
}

/// The random tables and requests that every way has to give the right rows for.
class random_requests {
 public:
  explicit random_requests(unsigned seed) : random_(seed) {
    table_.add_column("k");
    for (const char* name : {"g", "a", "b", "c"}) table_.add_column(name);
    table_.add_index(1, index_kind::key);
    table_.add_index(2, index_kind::tag);
    for (std::size_t i = 0; i < 3; ++i) {
      std::vector<column_index> columns = {3, 4, 5, 2, 0};
      std::ranges::shuffle(columns, random_);
      columns.resize(1 + pick(3));
      table_.add_ordered_index({.name = "i" + std::to_string(i), .columns = columns}, i);
    }
    fronts_ = pick(2) == 0;
  }

  [[nodiscard]] const table& of() const { return table_; }
  std::size_t pick(std::size_t below) { return random_() % below; }

  void change() {
    for (int i = 0; i < 100; ++i) {
      const auto rows = all_rows(table_);
      if (pick(4) == 0 && !rows.empty()) {
        table_.erase(rows[pick(rows.size())]);
      } else {
        std::vector<text> texts = {{}, std::to_string(table_.next_id()), group(), any(), any(), any()};
        std::vector<value> values;
        for (const text& t : texts) values.push_back(t ? value(*t) : value());
        const auto end = fronts_ && pick(2) == 0 ? parser::queue_end::front : parser::queue_end::back;
        static_cast<void>(table_.insert(end, values));
      }
    }
  }

  conjunction any_conjunction() {
    conjunction c;
    std::set<std::pair<column_index, column_atom::kind>> taken;
    for (std::size_t i = pick(4); i < 3; ++i) {
      column_atom a = any_atom(static_cast<column_index>(pick(6)));
      if (taken.emplace(a.column, a.demands).second) c.atoms.push_back(std::move(a));
    }
    if (pick(2) == 0) return c;
    // Some that an index may use.
    c.atoms.clear();
    for (const column_index column : table_.ordered_indexes()[pick(3)]->columns()) {
      if (pick(4) != 0) c.atoms.push_back(any_atom(column));
    }
    return c;
  }

  std::vector<order_column> any_order() {
    std::vector<order_column> order;
    const bool descending = pick(2) == 0;
    for (std::size_t i = pick(4); i < 3; ++i) {
      order.push_back({.column = static_cast<column_index>(pick(6)), .descending = pick(8) == 0 || descending});
    }
    if (pick(2) == 0) {
      // One that an index may give.
      const auto& index = table_.ordered_indexes()[pick(3)];
      order.clear();
      for (std::size_t i = pick(index->columns().size()); i < index->columns().size(); ++i) {
        order.push_back({.column = index->columns()[order.size()], .descending = descending});
      }
    }
    return order;
  }

 private:
  text group() { return pick(20) == 0 ? text() : text(std::string(1, static_cast<char>('a' + pick(5)))); }
  text any() {
    static const char* const some[] = {"",
                                       "a",
                                       "ab",
                                       "b",
                                       "5x",
                                       "1.0",
                                       "1e0",
                                       "-0",
                                       "0",
                                       "-7",
                                       "1.5",
                                       "+5",
                                       "12345678901",
                                       "9.99999999",
                                       "10",
                                       "2e1",
                                       "z",
                                       "\x7f",
                                       "-",
                                       ".5",
                                       "1e",
                                       "-5z",
                                       "common-prefix-1",
                                       "common-prefix-2"};
    const auto dice = pick(12);
    if (dice == 0) return std::nullopt;
    if (dice < 5) return std::to_string(static_cast<int>(pick(30)) - 15);
    if (dice == 5) return std::string(1, "+-.0159;A/ "[pick(11)]) + std::string(pick(2), '\0');
    return some[pick(std::size(some))];
  }
  std::string text_for(column_index column) {
    if (column <= 1) return std::to_string(pick(table_.next_id() + 5));
    if (column == 2 && pick(4) != 0) return group().value_or("a");
    return any().value_or("a");
  }
  column_atom any_atom(column_index column) {
    column_atom a{.column = column, .demands = column_atom::kind::equal};
    const auto dice = pick(10);
    if (dice < 5) {
      for (std::size_t i = 0; i < 1 + (pick(2) * pick(4)); ++i) {
        std::string v = text_for(a.column);
        if (std::ranges::find(a.values, v) == a.values.end()) a.values.push_back(std::move(v));
      }
    } else if (dice < 8) {
      a.demands = column_atom::kind::range;
      const auto bounds = 1 + pick(3);
      if ((bounds & 1U) != 0) a.lower = {.text = text_for(a.column), .inclusive = pick(2) == 0};
      if ((bounds & 2U) != 0) a.upper = {.text = text_for(a.column), .inclusive = pick(2) == 0};
    } else {
      a.demands = dice == 8 ? column_atom::kind::is_null : column_atom::kind::is_not_null;
    }
    return a;
  }

  std::mt19937 random_;
  table table_{"t"};
  bool fronts_ = false;
};

std::vector<row_number> matching_rows(const table& t, const std::vector<row_number>& rows,
                                      const std::vector<conjunction>& any_of) {
  std::vector<row_number> out;
  std::ranges::copy_if(rows, std::back_inserter(out), [&](row_number row) {
    return any_of.empty() || std::ranges::any_of(any_of, [&](const conjunction& c) { return meets(t, row, c); });
  });
  return out;
}

void sort_rows(const table& t, std::vector<row_number>& rows, const std::vector<order_column>& order) {
  std::ranges::stable_sort(rows, [&](row_number a, row_number b) {
    for (const order_column& o : order) {
      const int c = compare_order(cell(t, a, o.column), cell(t, b, o.column));
      if (c != 0) return o.descending ? c > 0 : c < 0;
    }
    return false;
  });
}

}  // namespace

TEST_CASE("access path: gives the rows that match, in order, whichever way it takes") {
  std::map<std::string, int> taken;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    random_requests requests(seed);
    for (int round = 0; round < 3; ++round) {
      const table& t = requests.of();
      for (int i = 0; i < 150; ++i) {
        std::vector<conjunction> any_of;
        for (std::size_t n = requests.pick(6); n < 6; n += 3) any_of.push_back(requests.any_conjunction());
        const std::vector<order_column> order = requests.any_order();
        access_request request{.any_of = any_of, .filtered = !any_of.empty(), .order = order};
        if (requests.pick(2) == 0) request.limit = requests.pick(20);
        const access_path path(t, request);
        INFO("seed " << seed << " round " << round << " request " << i << ": " << path.describe());
        std::vector<row_number> found;
        path.find(found);
        std::vector<row_number> expected = matching_rows(t, all_rows(t), any_of);
        if (path.is_ordered()) sort_rows(t, expected, order);
        REQUIRE(matching_rows(t, found, any_of) == expected);
        REQUIRE(std::set(found.begin(), found.end()).size() == found.size());
        ++taken[std::string(name_of(path.kind())) + (path.is_ordered() && !order.empty() ? " ordered" : "")];
      }
      requests.change();
    }
  }
  for (const char* kind :
       {"const", "ref", "range", "index ordered", "index_merge", "ALL", "ref ordered", "range ordered"}) {
    INFO(kind);
    CHECK(taken[kind] > 20);
  }
}

TEST_CASE("access path: the ranges of an index hold every row that meets the atoms") {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    random_requests requests(seed);
    for (int i = 0; i < 3; ++i) requests.change();
    const table& t = requests.of();
    for (int i = 0; i < 300; ++i) {
      const conjunction c = requests.any_conjunction();
      for (const auto& index : t.ordered_indexes()) {
        const index_ranges found = find_ranges(*index, c.atoms);
        std::set<row_number> rows;
        for (std::size_t r = 0; r < found.ranges.size(); ++r) {
          if (r > 0) REQUIRE(found.ranges[r - 1].last <= found.ranges[r].first);
          index->visit(found.ranges[r], [&](row_number row) { return rows.insert(row).second; });
        }
        for (const row_number row : matching_rows(t, all_rows(t), {c})) REQUIRE(rows.contains(row));
        conjunction used;
        for (const column_atom* a : found.used) used.atoms.push_back(*a);
        const auto text_bound = [](const auto& b) { return b && !is_number(b->text); };
        const bool exact = std::ranges::none_of(used.atoms, [&](const column_atom& a) {
          return a.demands == column_atom::kind::equal || text_bound(a.lower) || text_bound(a.upper);
        });
        if (exact) REQUIRE(rows.size() == matching_rows(t, all_rows(t), {used}).size());
      }
    }
  }
}

namespace {

column_atom equal(column_index column, std::vector<std::string> values) {
  return {.column = column, .demands = column_atom::kind::equal, .values = std::move(values)};
}

column_atom above(column_index column, std::string bound) {
  return {.column = column, .demands = column_atom::kind::range, .lower = {{.text = std::move(bound)}}};
}

}  // namespace

TEST_CASE("access path: takes the cheapest way") {
  table t(table_description{.name = "t",
                            .columns = {{.name = "k", .index = index_kind::key},
                                        {.name = "g", .index = index_kind::tag},
                                        {.name = "price"},
                                        {.name = "size"},
                                        {.name = "free"}},
                            .indexes = {{.name = "by_price", .columns = {3}},
                                        {.name = "by_size", .columns = {4, 3}},
                                        {.name = "u", .columns = {2, 1}, .type = parser::index_type::unique}}});
  for (int i = 0; i < 10'000; ++i) {
    const std::string k = "k" + std::to_string(i);
    const std::string g = i % 100 == 0 ? "rare" : "common";
    const std::string price = std::to_string(i);
    const std::string size = std::to_string(i % 500);
    static_cast<void>(t.insert(parser::queue_end::back, std::vector<value>{{}, k, g, price, size, "x"}));
  }
  struct expectation {
    std::vector<std::vector<column_atom>> any_of;
    std::vector<order_column> order;
    std::optional<std::uint64_t> limit;
    std::string way;
    bool ordered;
  };
  const std::vector<expectation> expectations = {
      {{}, {}, {}, "ALL, 10000 rows", true},
      {{{equal(0, {"5"})}}, {}, {}, "const PRIMARY (id), 1 row", true},
      {{{equal(1, {"k5"}), above(3, "7")}}, {}, {}, "const k (k), 1 row", true},
      {{{equal(1, {"k5", "k6"})}}, {}, {}, "range k (k), 2 rows", true},
      {{{equal(2, {"rare"})}}, {}, {}, "ref g (g), 100 rows", true},
      {{{equal(2, {"common"}), equal(4, {"7"})}}, {}, {}, "ref by_size (size), 20 rows", true},
      {{{equal(2, {"common"}), equal(1, {"k5", "k7"})}}, {}, {}, "range k (k), 2 rows", true},
      {{{equal(4, {"7"}), above(3, "9000")}}, {}, {}, "range by_size (size, price), 2 rows", true},
      {{{above(3, "9990")}}, {}, {}, "range by_price (price), 9 rows", true},
      {{{above(0, "9990")}}, {}, {}, "range PRIMARY (id), 10 rows", true},
      {{{above(5, "9990")}}, {}, {}, "ALL, 10000 rows", true},
      {{}, {{.column = 3, .descending = true}}, 10, "index by_price (price), 10000 rows", true},
      {{}, {{.column = 0, .descending = true}}, 10, "index PRIMARY (id), 10000 rows", true},
      {{}, {{.column = 5}}, 10, "ALL, 10000 rows", false},
      {{{equal(4, {"7"})}}, {{.column = 3, .descending = true}}, 5, "ref by_size (size), 20 rows", true},
      {{{equal(1, {"k1"})}, {above(3, "9990")}}, {}, {}, "index_merge k,by_price, 10 rows", true},
      {{{equal(1, {"k1"})}, {above(5, "9990")}}, {}, {}, "ALL, 10000 rows", true},
  };
  for (const expectation& e : expectations) {
    std::vector<conjunction> any_of;
    for (const auto& atoms : e.any_of) any_of.push_back({.atoms = atoms, .complete = true});
    const access_path path(t, {.any_of = any_of, .order = e.order, .limit = e.limit});
    CHECK(path.describe() == e.way);
    CHECK(path.is_ordered() == e.ordered);
  }
}
