#include "storage/database.hpp"

#include "storage/executor.hpp"

namespace pubsubsql::storage {

database::database(const limits& l) : executor_(std::make_unique<executor>(l)) {}
database::~database() = default;

const outcome& database::execute(const parser::statement& s, const caller& who) {
  return executor_->execute(s, who);
}

void database::drop_subscriber(subscriber_id subscriber) {
  executor_->drop_subscriber(subscriber);
}

bool database::maintain() {
  return executor_->maintain();
}

std::uint64_t database::inserted_rows() const {
  return executor_->inserted_rows();
}

std::uint64_t database::erased_rows() const {
  return executor_->erased_rows();
}

std::vector<table_summary> database::tables() const {
  std::vector<table_summary> all;
  all.reserve(executor_->tables().size());
  for (const auto& [name, t] : executor_->tables()) {
    all.push_back({.name = t->name(),
                   .rows = t->row_count(),
                   .columns = t->column_count(),
                   .subscriptions = t->subscribers().size()});
  }
  return all;
}

const table* database::find(std::string_view name) const {
  const auto it = executor_->tables().find(name);
  return it == executor_->tables().end() ? nullptr : it->second.get();
}

}  // namespace pubsubsql::storage
