// Ordered indexes, small and large, to see how their costs grow.

#include <string>
#include <vector>

#include "storage/access_path.hpp"
#include "storage/table.hpp"
#include "tools/bench/micro/subject.hpp"

namespace micro {

using namespace pubsubsql;

namespace {

constexpr std::size_t operations = 1'000;
constexpr storage::column_index column_price = 1;
constexpr storage::column_index column_name = 2;

/// Numbers below `below`, all of them, none after its neighbour.
std::string scattered(std::size_t i, std::size_t below) {
  return std::to_string(i * 7919 % below);
}

/// A table of prices and names, and an index on each of them.
class indexed_table {
 public:
  explicit indexed_table(std::size_t rows)
      : rows_(rows),
        table_(storage::table_description{.name = "t",
                                          .columns = {{.name = "price"}, {.name = "name"}},
                                          .indexes = {{.name = "p", .columns = {column_price}},
                                                      {.name = "n", .columns = {column_name, column_price}}}}) {
    for (std::size_t i = 0; i < rows; ++i) insert(i);
  }

  void insert(std::size_t i) {
    const std::string price = scattered(i, rows_);
    const std::string name = "name " + std::to_string(i % 100);
    const std::vector<storage::value> values = {{}, price, name};
    unused_result = table_.insert(parser::queue_end::back, values).number();
  }
  void pop() { table_.erase(table_.end_row(parser::queue_end::front)); }

  [[nodiscard]] const storage::table& get() const { return table_; }
  [[nodiscard]] std::size_t rows() const { return rows_; }

 private:
  const std::size_t rows_;
  storage::table table_;
};

/// A row comes into both indexes, and one leaves them.
class replacing : public subject {
 public:
  explicit replacing(std::size_t rows) : table_(rows), next_(rows) {}
  void run(std::size_t times) override {
    for (; times > 0; --times) {
      table_.insert(next_++);
      table_.pop();
    }
  }

 private:
  indexed_table table_;
  std::size_t next_;
};

/// The first ten rows from a price on, in the order of prices.
class reading : public subject {
 public:
  explicit reading(std::size_t rows) : table_(rows) {}
  void run(std::size_t times) override {
    for (; times > 0; --times) {
      conjunction_.atoms.front().lower->text = scattered(next_++, table_.rows() - 10);
      const storage::access_path path(table_.get(),
                                      {.any_of = {&conjunction_, 1}, .order = order_, .limit = rows_read});
      std::size_t seen = 0;
      path.visit([&](storage::row_number row) {
        unused_result = row;
        return ++seen < rows_read;
      });
    }
  }

 private:
  static constexpr std::size_t rows_read = 10;
  indexed_table table_;
  storage::conjunction conjunction_ = {.atoms = {{.column = column_price,
                                                  .demands = storage::column_atom::kind::range,
                                                  .lower = {{.text = "", .inclusive = true}}}},
                                       .complete = true};
  const std::vector<storage::order_column> order_ = {{.column = column_price}};
  std::size_t next_ = 0;
};

template <typename Subject>
void add(std::vector<subject_description>& to, const std::string& name, std::size_t rows) {
  to.push_back({.name = "index: " + name + std::to_string(rows), .operations = operations, .make = [rows] {
                  return std::make_unique<Subject>(rows);
                }});
}

}  // namespace

void add_index_subjects(std::vector<subject_description>& to) {
  for (const std::size_t rows : {1'000U, 100'000U}) {
    add<replacing>(to, "a row in and one out of two of ", rows);
    add<reading>(to, "10 rows in order of ", rows);
  }
}

}  // namespace micro
