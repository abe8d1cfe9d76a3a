#include "storage/subscriptions.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "storage/row.hpp"
#include "storage/table.hpp"

// Random subscriptions over random predicates, against asking every predicate about every change.

using namespace pubsubsql::storage;

namespace {

using cell = std::optional<std::string>;

std::optional<double> number_of(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789.-") != std::string::npos) return std::nullopt;
  return std::strtod(text.c_str(), nullptr);
}

int compare(const std::string& a, const std::string& b) {
  const auto x = number_of(a);
  const auto y = number_of(b);
  if (x && y) return *x < *y ? -1 : *x > *y ? 1 : 0;
  return a.compare(b);
}

/// What one column must be, by name.
struct term {
  std::string column;
  column_atom atom;

  [[nodiscard]] bool holds(const cell& v) const {
    switch (atom.demands) {
      case column_atom::kind::equal:
        return v && std::ranges::find(atom.values, *v) != atom.values.end();
      case column_atom::kind::range: {
        if (!v) return false;
        const auto above = [&](const column_atom::bound& b) {
          const int way = compare(*v, b.text);
          return way > 0 || (way == 0 && b.inclusive);
        };
        const auto below = [&](const column_atom::bound& b) {
          const int way = compare(*v, b.text);
          return way < 0 || (way == 0 && b.inclusive);
        };
        return (!atom.lower || above(*atom.lower)) && (!atom.upper || below(*atom.upper));
      }
      case column_atom::kind::is_null:
        return !v;
      case column_atom::kind::is_not_null:
        return v.has_value();
    }
    return false;
  }
};

/// Terms that hold together, and perhaps something that no index knows: a column whose text has an even length.
struct branch {
  std::vector<term> terms;
  std::optional<std::string> even;
};

struct predicate {
  std::vector<branch> branches;
  bool says_nothing = false;

  [[nodiscard]] bool holds(const std::map<std::string, cell>& row) const {
    const auto value_of = [&](const std::string& column) {
      const auto it = row.find(column);
      return it == row.end() ? cell{} : it->second;
    };
    return std::ranges::any_of(branches, [&](const branch& b) {
      const auto holds = [&](const term& t) { return t.holds(value_of(t.column)); };
      if (!std::ranges::all_of(b.terms, holds)) return false;
      if (!b.even) return true;
      const cell v = value_of(*b.even);
      return v && v->size() % 2 == 0;
    });
  }
};

class test_filter : public matching::row_filter {
 public:
  explicit test_filter(predicate p) : predicate_(std::move(p)) {}

  void bind(const table& of) override {
    table_ = &of;
    columns_.clear();
    missing_.clear();
    const auto look_up = [&](const std::string& name) {
      if (const auto column = of.find_column(name)) {
        columns_.push_back(*column);
      } else {
        missing_.push_back(name);
      }
    };
    for (const branch& b : predicate_.branches) {
      for (const term& t : b.terms) look_up(t.column);
      if (b.even) look_up(*b.even);
    }
    const auto make_unique = [](auto& list) {
      std::ranges::sort(list);
      list.erase(std::unique(list.begin(), list.end()), list.end());
    };
    make_unique(columns_);
    make_unique(missing_);
    conjunctions_ = make_conjunctions();
  }

  [[nodiscard]] bool matches(row_view row, std::int64_t, sql::work_budget&) const override {
    std::map<std::string, cell> values;
    for (const column_index column : columns_) {
      const value v = row.at(column);
      values[std::string(table_->column_name(column))] = v ? cell(*v) : cell{};
    }
    return predicate_.holds(values);
  }

  [[nodiscard]] std::string_view statement() const override { return {}; }
  [[nodiscard]] std::vector<conjunction> conjunctions() const override { return conjunctions_; }
  [[nodiscard]] std::span<const column_index> columns() const override { return columns_; }
  [[nodiscard]] std::span<const std::string> missing() const override { return missing_; }

 private:
  [[nodiscard]] std::vector<conjunction> make_conjunctions() const {
    std::vector<conjunction> all;
    if (predicate_.says_nothing) return all;
    for (const branch& b : predicate_.branches) {
      conjunction c{.atoms = {}, .complete = !b.even.has_value()};
      bool possible = true;
      for (const term& t : b.terms) {
        const auto column = table_->find_column(t.column);
        if (!column) {
          // NULL: meets "is null" always, all others never.
          possible = possible && t.atom.demands == column_atom::kind::is_null;
          continue;
        }
        c.atoms.push_back(t.atom);
        c.atoms.back().column = *column;
      }
      if (!possible) c.complete = false;
      all.push_back(std::move(c));
    }
    return all;
  }

  predicate predicate_;
  std::vector<conjunction> conjunctions_;
  const table* table_ = nullptr;
  std::vector<column_index> columns_;
  std::vector<std::string> missing_;
};

struct subscription {
  std::uint64_t id = 0;
  std::uint64_t subscriber = 0;
  std::optional<predicate> where;
  std::optional<std::vector<std::string>> columns;
};

class random_subscriptions {
 public:
  explicit random_subscriptions(unsigned seed) : random_(seed) {
    for (const char* name : {"a", "b", "c"}) add_column(name);
  }

  void step() {
    const auto dice = pick(100);
    if (dice < 20) return subscribe();
    if (dice < 26) return unsubscribe();
    if (dice < 27) return leave();
    if (dice < 28) return change_columns();
    change_row();
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }

  std::string text() {
    static const std::vector<std::string> few = {"", "x", "y", "10", "9", "2.5", "-3", "10.0", "abc", "9z"};
    return pick(3) == 0 ? std::to_string(pick(40)) : few[pick(few.size())];
  }
  std::string column() {
    static const std::vector<std::string> names = {"a", "b", "c", "late"};
    return names[pick(names.size())];
  }
  std::optional<column_atom::bound> bound() {
    if (pick(3) == 0) return std::nullopt;
    return column_atom::bound{.text = text(), .inclusive = pick(2) == 0};
  }

  term make_term(std::string name) {
    term t{.column = std::move(name), .atom = {}};
    const auto dice = pick(10);
    if (dice < 4) {
      t.atom.demands = column_atom::kind::equal;
      for (std::size_t i = 0, n = 1 + pick(3) * pick(2); i < n; ++i) t.atom.values.push_back(text());
      std::ranges::sort(t.atom.values);
      t.atom.values.erase(std::unique(t.atom.values.begin(), t.atom.values.end()), t.atom.values.end());
    } else if (dice < 8) {
      t.atom.demands = column_atom::kind::range;
      t.atom.lower = bound();
      t.atom.upper = bound();
      if (!t.atom.lower && !t.atom.upper) t.atom.lower = column_atom::bound{.text = text(), .inclusive = true};
    } else {
      t.atom.demands = dice == 8 ? column_atom::kind::is_null : column_atom::kind::is_not_null;
    }
    return t;
  }

  predicate make_predicate() {
    predicate p;
    p.says_nothing = pick(12) == 0;
    for (std::size_t i = 0, n = 1 + pick(3) * pick(2); i < n; ++i) {
      branch b;
      std::vector<std::string> names = {"a", "b", "c", "late"};
      std::ranges::shuffle(names, random_);
      names.resize(1 + pick(3));
      for (const std::string& name : names) {
        b.terms.push_back(make_term(name));
        if (pick(8) == 0) {
          term more = make_term(name);
          if (more.atom.demands != b.terms.back().atom.demands) b.terms.push_back(more);
        }
      }
      if (pick(4) == 0) b.even = column();
      p.branches.push_back(std::move(b));
    }
    return p;
  }

  void subscribe() {
    subscription s{.id = ++last_id_, .subscriber = pick(5), .where = {}, .columns = {}};
    const event_target target{.subscriber = subscriber_id{s.subscriber}, .pubsubid = s.id};
    if (pick(3) == 0) {
      s.columns.emplace();
      for (const std::string& name : column_names_) {
        if (pick(2) == 0) s.columns->push_back(name);
      }
    }
    const auto dice = pick(10);
    if (dice == 0) {
      if (!s.columns) {
        subscribers().add(target, std::nullopt, std::nullopt);
        subscriptions_.push_back(s);
        return;
      }
    } else if (dice < 3 && !s.columns) {
      const std::string name = column();
      const std::string equal = text();
      branch b;
      b.terms.push_back({.column = name, .atom = {.demands = column_atom::kind::equal, .values = {equal}}});
      s.where = predicate{.branches = {b}};
      subscribers().add(target, subscriptions::filter{.column = name, .text = equal}, table_.find_column(name));
      subscriptions_.push_back(s);
      return;
    } else {
      const std::size_t i = pick(60);
      if (predicates_.size() <= i) predicates_.resize(i + 1);
      if (!predicates_[i]) predicates_[i] = make_predicate();
      s.where = predicates_[i];
      canonical_ = std::to_string(i);
    }
    std::vector<std::string_view> names;
    if (s.columns) names.assign(s.columns->begin(), s.columns->end());
    subscriptions::predicate p{.filter = nullptr, .canonical_text = canonical_, .columns = {}};
    if (s.where) p.filter = std::make_unique<test_filter>(*s.where);
    if (s.columns) p.columns = names;
    subscribers().add(target, std::move(p));
    subscriptions_.push_back(s);
  }

  void unsubscribe() {
    if (subscriptions_.empty()) return;
    const std::size_t i = pick(subscriptions_.size());
    subscribers().remove(subscriptions_[i].id);
    subscriptions_.erase(subscriptions_.begin() + static_cast<std::ptrdiff_t>(i));
  }

  void leave() {
    const std::uint64_t subscriber = pick(5);
    std::vector<std::uint64_t> ids;
    for (const subscription& s : subscriptions_) {
      if (s.subscriber == subscriber) ids.push_back(s.id);
    }
    subscribers().remove_all(subscriber_id{subscriber}, ids);
    std::erase_if(subscriptions_, [&](const subscription& s) { return s.subscriber == subscriber; });
  }

  void add_column(const char* name) {
    table_.add_column(name);
    column_names_.emplace_back(name);
  }

  void change_columns() {
    if (column_names_.size() == 3) {
      add_column("late");
    } else if (pick(2) == 0) {
      table_.remove_last_column();
      column_names_.pop_back();
    } else {
      subscribers().columns_changed();
    }
  }

  subscriptions& subscribers() { return table_.subscribers(); }

  std::vector<cell> make_row() {
    std::vector<cell> row(1);
    for (std::size_t i = 0; i < column_names_.size(); ++i) row.push_back(pick(6) == 0 ? cell{} : cell{text()});
    return row;
  }

  static std::string encode(const std::vector<cell>& row) {
    std::vector<value> values;
    for (const cell& c : row) values.push_back(c ? value(*c) : value{});
    std::string bytes;
    encode_row(7, values, bytes);
    return bytes;
  }

  [[nodiscard]] std::map<std::string, cell> named(const std::vector<cell>& row) const {
    std::map<std::string, cell> out;
    for (std::size_t i = 0; i < column_names_.size(); ++i) out[column_names_[i]] = row[i + 1];
    return out;
  }

  [[nodiscard]] std::string whole_columns(const subscription& s) const {
    std::string out = "id";
    for (const std::string& name : s.columns ? *s.columns : column_names_) {
      if (std::ranges::find(column_names_, name) != column_names_.end()) out += "," + name;
    }
    return out;
  }

  void change_row() {
    const std::vector<cell> before = make_row();
    std::vector<cell> after = before;
    std::vector<column_index> assigned;
    std::vector<column_index> sent = {id_column};
    for (column_index column = 1; column < after.size(); ++column) {
      if (pick(2) != 0) continue;
      assigned.push_back(column);
      if (pick(4) != 0) after[column] = pick(6) == 0 ? cell{} : cell{text()};
    }
    std::ranges::shuffle(assigned, random_);
    sent.insert(sent.end(), assigned.begin(), assigned.end());
    const std::string old_bytes = encode(before);
    const std::string new_bytes = encode(after);
    const row_view old_row(old_bytes.data());
    const row_view new_row(new_bytes.data());
    std::vector<event> events;
    std::vector<std::string> expected;
    const auto dice = pick(4);
    subscribers().begin_statement(0, UINT64_MAX);
    if (dice == 0) {
      subscribers().on_insert(new_row, table_.all_columns(), events);
      expect_whole("insert", after, expected);
    } else if (dice == 1) {
      subscribers().on_delete(old_row, table_.all_columns(), events);
      expect_whole("delete", before, expected);
    } else {
      subscribers().on_update(old_row, new_row, assigned, sent, table_.all_columns(), events);
      expect_update(before, after, assigned, expected);
    }
    std::vector<std::string> seen;
    int rank = 0;
    for (const event& e : events) {
      REQUIRE(!e.targets.empty());
      REQUIRE(rank <= rank_of(e.action));
      rank = rank_of(e.action);
      std::string columns;
      for (const column_index column : e.columns) {
        columns += (columns.empty() ? "" : ",") + std::string(table_.column_name(column));
      }
      for (const event_target& target : e.targets) {
        seen.push_back(std::to_string(target.pubsubid) + " " + name_of(e.action) + " " + columns);
      }
    }
    std::ranges::sort(seen);
    std::ranges::sort(expected);
    REQUIRE(joined(seen) == joined(expected));
  }

  static std::string joined(const std::vector<std::string>& lines) {
    std::string out;
    for (const std::string& line : lines) out += line + "\n";
    return out;
  }

  static int rank_of(event_action action) {
    return action == event_action::remove ? 0 : action == event_action::add ? 1 : 2;
  }
  static std::string name_of(event_action action) {
    static const char* const names[] = {"add", "insert", "update", "remove", "delete"};
    return names[static_cast<std::size_t>(action)];
  }

  void expect_whole(const std::string& action, const std::vector<cell>& row, std::vector<std::string>& out) const {
    for (const subscription& s : subscriptions_) {
      if (!s.where || s.where->holds(named(row))) {
        out.push_back(std::to_string(s.id) + " " + action + " " + whole_columns(s));
      }
    }
  }

  void expect_update(const std::vector<cell>& before, const std::vector<cell>& after,
                     const std::vector<column_index>& assigned, std::vector<std::string>& out) const {
    for (const subscription& s : subscriptions_) {
      const bool was = !s.where || s.where->holds(named(before));
      const bool is = !s.where || s.where->holds(named(after));
      if (!was && !is) continue;
      if (was != is) {
        out.push_back(std::to_string(s.id) + (is ? " add " : " remove ") + whole_columns(s));
        continue;
      }
      std::string columns = "id";
      bool differs = !s.columns;
      for (const column_index column : assigned) {
        const std::string& name = column_names_[column - 1];
        if (s.columns && std::ranges::find(*s.columns, name) == s.columns->end()) continue;
        columns += "," + name;
        differs = differs || before[column] != after[column];
      }
      if (differs) out.push_back(std::to_string(s.id) + " update " + columns);
    }
  }

  std::mt19937 random_;
  table table_{"t"};
  std::vector<std::string> column_names_;
  std::vector<std::optional<predicate>> predicates_;
  std::string canonical_;
  std::vector<subscription> subscriptions_;
  std::uint64_t last_id_ = 0;
};

}  // namespace

TEST_CASE("subscriptions: any predicates, as if each were asked about each change") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    random_subscriptions run(seed);
    for (int i = 0; i < 3000; ++i) run.step();
  }
}
