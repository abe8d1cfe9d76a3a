#include <algorithm>
#include <string>
#include <utility>

#include "server/shared_state.hpp"
#include "server/table_runner.hpp"
#include "server/transactions.hpp"
#include "server/worker.hpp"

// The part of bindings in transactions: what comes into a table is copied to the queues that are bound to it.
//
// A statement takes its tables by rising rank, so that one that copies takes those that it comes to later behind those
// that it has: statements that are alone do not wait for each other, whatever is bound to what.

namespace pubsubsql::server {

/// Where rows of a statement's own table may go, when it cannot be known in time: others of its tables are to be taken
/// before it is run.
void transactions::add_reachable(std::vector<placed_table>& tables) const {
  std::vector<std::string> names;
  worker_.bindings().append_reachable(tables.front().name, names);
  for (const std::string& name : names) {
    const auto owner = worker_.shared().tables.find(name);
    if (!owner || std::ranges::find(tables, name, &placed_table::name) != tables.end()) continue;
    tables.push_back({.name = name, .worker = *owner});
  }
}

void transactions::sort_by_rank(std::vector<placed_table>& tables) const {
  const binding_graph& graph = worker_.bindings();
  std::ranges::sort(tables, [&](const placed_table& a, const placed_table& b) {
    const unsigned rank_a = graph.rank_of(a.name);
    const unsigned rank_b = graph.rank_of(b.name);
    return rank_a != rank_b ? rank_a < rank_b : a.name < b.name;
  });
}

void transactions::plan_copies(transaction& t, std::vector<wanted_copy>& copies) {
  for (wanted_copy& c : copies) {
    const auto owner = worker_.shared().tables.find(c.queue);
    if (!owner) continue;  // it has never been there
    planned_request p{.request = {.who = t.id,
                                  .route = t.route,
                                  .table = std::move(c.queue),
                                  .sql = std::move(c.sql),
                                  .now_us = worker_.now_us(),
                                  .copies_from = std::move(c.from)},
                      .worker = *owner};
    t.bytes += p.request.sql.size();
    p.rank = worker_.bindings().rank_of(p.request.table);
    const auto behind = std::ranges::find_if(t.plan, [&](const planned_request& other) {
      return other.rank != p.rank ? other.rank > p.rank : other.request.table > p.request.table;
    });
    t.plan.insert(behind, std::move(p));
  }
}

/// A copy has failed: the transaction goes on as if the statement had not been run.
void transactions::undo_statement(transaction& t) {
  for (std::size_t i = 0; i < t.tables.size(); ++i) {
    transaction_undo u{.table = t.tables[i].name, .undo = {}};
    for (std::size_t at = t.steps_before; at < t.steps.size(); ++at) {
      if (t.steps[at].table == i && t.steps[at].changes != nullptr) u.undo.push_back(t.steps[at].changes);
    }
    if (u.undo.empty()) continue;
    if (t.tables[i].worker == worker_.index()) {
      tables_.take_back(u);
    } else {
      worker_.send(t.tables[i].worker, std::move(u));
    }
  }
  t.steps.resize(t.steps_before);
  t.rows = t.rows_before;
  t.bytes = t.bytes_before;
}

}  // namespace pubsubsql::server
