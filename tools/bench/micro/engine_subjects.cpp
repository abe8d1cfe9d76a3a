// Statements to outcomes.

#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "server/reply_encoder.hpp"
#include "storage/subscriptions.hpp"
#include "storage/table.hpp"
#include "tools/bench/micro/prepared_engine.hpp"
#include "tools/bench/micro/subject.hpp"

namespace micro {

using namespace pubsubsql;

namespace {

constexpr std::size_t operations = 1'000;
constexpr std::size_t rows = 10'000;
/// Statements that are run in turn, each about another row.
constexpr std::size_t statements = 1'000;

/// Statements of a known form, from their text to what they come to.
class executing : public subject {
 public:
  explicit executing(const std::function<std::string(std::size_t)>& sql) : engine_(rows) {
    for (std::size_t i = 0; i < statements; ++i) texts_.push_back(sql(i * (rows / statements)));
  }
  void run(std::size_t times) override {
    for (; times > 0; --times) unused_result = engine_.run(texts_[next_++ % statements]).rows;
  }

 private:
  prepared_engine engine_;
  std::vector<std::string> texts_;
  std::size_t next_ = 0;
};

/// Rows with a key and a tag into a table that grows, and is given up when it is large.
class inserting : public subject {
 public:
  void prepare() override {
    if (engine_ && next_ + operations <= texts_.size()) return;
    engine_ = std::make_unique<prepared_engine>(rows);
    texts_.clear();
    for (std::size_t i = 0; i < rows; ++i) texts_.push_back(insert_of(rows + i));
    next_ = 0;
  }
  void run(std::size_t times) override {
    for (; times > 0; --times) unused_result = engine_->run(texts_[next_++]).rows;
  }

 private:
  std::vector<std::string> texts_;
  std::unique_ptr<prepared_engine> engine_;
  std::size_t next_ = 0;
};

/// All that a statement goes through between the bytes in and the bytes out.
class answering : public subject {
 public:
  explicit answering(const std::function<std::string(std::size_t)>& sql) : engine_(rows) {
    for (std::size_t i = 0; i < statements; ++i) texts_.push_back(sql(i * (rows / statements)));
  }
  void run(std::size_t times) override {
    for (; times > 0; --times) {
      out_.clear();
      server::encode_reply(out_, {.mode = parser::wire_mode::framed, .request_id = 1},
                           engine_.run(texts_[next_++ % statements]), lists_);
      unused_result = out_.size();
    }
  }

 private:
  prepared_engine engine_;
  std::vector<std::string> texts_;
  server::column_lists lists_;
  std::string out_;
  std::size_t next_ = 0;
};

/// A change of a row that meets so many subscriptions, of which one or all want it.
class matching : public subject {
 public:
  matching(std::size_t subscriptions, bool all_match) {
    engine_.run(insert_of(0));
    engine_.run("insert into t (k, g, a, b) values (other, tag0, 77777, 88888)");
    before_ = engine_.database().find("t")->get(0);
    after_ = before_;
    for (std::size_t i = 0; i < subscriptions; ++i) {
      subscriptions_.add({.subscriber = storage::subscriber_id{1}, .pubsubid = i + 1},
                         storage::subscriptions::filter{.column = "k", .text = key_of(all_match ? 0 : i)}, column_k);
    }
  }
  void run(std::size_t times) override {
    for (; times > 0; --times) {
      events_.clear();
      subscriptions_.on_update(before_, after_, assigned_, sent_, all_, events_);
      unused_result = events_.front().targets.size();
    }
  }

 private:
  static constexpr storage::column_index column_k = 1;
  std::array<storage::column_index, 1> assigned_ = {3};
  std::array<storage::column_index, 2> sent_ = {0, 3};
  std::array<storage::column_index, 5> all_ = {0, 1, 2, 3, 4};
  prepared_engine engine_;
  storage::row_view before_;
  storage::row_view after_;
  storage::subscriptions subscriptions_{*engine_.database().find("t")};
  std::vector<storage::event> events_;
};

/// `g = ... and a > ...`, or `a between ... and ...`.
class range_filter : public storage::matching::row_filter {
 public:
  range_filter(std::optional<std::string> tag, std::string low, std::optional<std::string> high) {
    if (tag) {
      all_.atoms.push_back({.column = column_g, .demands = storage::column_atom::kind::equal, .values = {*tag}});
      columns_.push_back(column_g);
    }
    storage::column_atom range{.column = column_a, .demands = storage::column_atom::kind::range};
    range.lower = {.text = std::move(low), .inclusive = high.has_value()};
    if (high) range.upper = {.text = *high, .inclusive = true};
    all_.atoms.push_back(std::move(range));
    all_.complete = true;
    columns_.push_back(column_a);
  }
  void bind(const storage::table&) override {}
  [[nodiscard]] std::string_view statement() const override { return {}; }
  [[nodiscard]] bool matches(storage::row_view, std::int64_t, storage::sql::work_budget&) const override {
    return false;
  }
  [[nodiscard]] std::vector<storage::conjunction> conjunctions() const override { return {all_}; }
  [[nodiscard]] std::span<const storage::column_index> columns() const override { return columns_; }
  [[nodiscard]] std::span<const std::string> missing() const override { return {}; }

  static constexpr storage::column_index column_g = 2;
  static constexpr storage::column_index column_a = 3;

 private:
  storage::conjunction all_;
  std::vector<storage::column_index> columns_;
};

/// An update of a number that so many subscriptions to ranges of it look at, of which one wants it.
class matching_ranges : public subject {
 public:
  matching_ranges(std::size_t subscriptions, bool windows) {
    engine_.run("insert into t (k, g, a, b) values (before, tag0, 20000, 1)");
    engine_.run("insert into t (k, g, a, b) values (after, tag0, 20001, 1)");
    const storage::table& t = *engine_.database().find("t");
    before_ = t.get(0);
    after_ = t.get(1);
    subscriptions_ = std::make_unique<storage::subscriptions>(t);
    for (std::size_t i = 0; i < subscriptions; ++i) {
      const std::string tag = "tag" + std::to_string(i % 100);
      const std::size_t low = i == 0 ? 19'900 : 100'000 + i * 3;
      auto filter = windows
                        ? std::make_unique<range_filter>(std::nullopt, std::to_string(low), std::to_string(low + 200))
                        : std::make_unique<range_filter>(tag, std::to_string(low), std::nullopt);
      subscriptions_->add({.subscriber = storage::subscriber_id{1}, .pubsubid = i + 1},
                          {.filter = std::move(filter), .canonical_text = std::to_string(i)});
    }
  }
  void run(std::size_t times) override {
    for (; times > 0; --times) {
      events_.clear();
      subscriptions_->begin_statement(0, UINT64_MAX);
      subscriptions_->on_update(before_, after_, assigned_, sent_, all_, events_);
      unused_result = events_.front().targets.size();
    }
  }

 private:
  std::array<storage::column_index, 1> assigned_ = {range_filter::column_a};
  std::array<storage::column_index, 2> sent_ = {0, range_filter::column_a};
  std::array<storage::column_index, 5> all_ = {0, 1, 2, 3, 4};
  prepared_engine engine_;
  storage::row_view before_;
  storage::row_view after_;
  std::unique_ptr<storage::subscriptions> subscriptions_;
  std::vector<storage::event> events_;
};

template <typename Subject>
void add(std::vector<subject_description>& to, const std::string& stage, const std::string& name,
         const std::function<std::string(std::size_t)>& sql) {
  to.push_back(
      {.name = stage + name, .operations = operations, .make = [sql] { return std::make_unique<Subject>(sql); }});
}

void add_matching(std::vector<subject_description>& to, std::size_t subscriptions, bool all_match) {
  to.push_back({.name = "match: " + std::string(all_match ? "all" : "1") + " of " + std::to_string(subscriptions),
                .operations = operations,
                .make = [=] { return std::make_unique<matching>(subscriptions, all_match); }});
}

void add_matching_ranges(std::vector<subject_description>& to, std::size_t subscriptions, bool windows) {
  to.push_back({.name = "match: 1 of " + std::to_string(subscriptions) + (windows ? " windows" : " values and ranges"),
                .operations = operations,
                .make = [=] { return std::make_unique<matching_ranges>(subscriptions, windows); }});
}

}  // namespace

void add_engine_subjects(std::vector<subject_description>& to) {
  const auto update = [](std::size_t row) { return update_of(row, row * 3 + 1); };
  const auto select = [](std::size_t row) { return "select * from t where k = " + key_of(row); };
  const auto subscribe = [](std::size_t row) { return "subscribe skip * from t where k = " + key_of(row); };
  add<executing>(to, "execute: ", "update by key", update);
  add<executing>(to, "execute: ", "select by key", select);
  add<executing>(to, "execute: ", "subscribe by key", subscribe);
  to.push_back({.name = "execute: insert with key and tag", .operations = operations, .make = [] {
                  return std::make_unique<inserting>();
                }});
  add<answering>(to, "answer: ", "update by key", update);
  add<answering>(to, "answer: ", "select by key", select);
  add_matching(to, 1, false);
  add_matching(to, 100, false);
  add_matching(to, 100'000, false);
  add_matching(to, 100, true);
  add_matching(to, 100'000, true);
  for (const bool windows : {false, true}) {
    for (const std::size_t subscriptions : {100U, 100'000U}) add_matching_ranges(to, subscriptions, windows);
  }
}

}  // namespace micro
