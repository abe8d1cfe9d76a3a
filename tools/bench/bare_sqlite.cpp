#include "tools/bench/bare_sqlite.hpp"

#include <algorithm>
#include <cstdint>

namespace bench {

using pubsubsql::storage::durable::sqlite_statement;

bare_sqlite::bare_sqlite(const std::string& path) : db_(path) {
  db_.run("pragma journal_mode = wal");
  db_.run("pragma synchronous = full");
  db_.run("pragma wal_autocheckpoint = 4000");
  db_.run("pragma cache_size = -65536");
  db_.run("create table stocks (id integer primary key, ticker text, sector text, price text, note text)");
}

void bare_sqlite::insert(std::span<const sample_row> rows) {
  sqlite_statement s = db_.prepare("insert into stocks values (?, ?, ?, ?, ?)");
  for (std::size_t at = 0; at < rows.size(); at += batch_rows) {
    db_.run("begin immediate");
    for (std::size_t i = at; i < std::min(at + batch_rows, rows.size()); ++i) {
      const sample_row& r = rows[i];
      s.bind(1, static_cast<std::int64_t>(i)).bind_text(2, r.ticker).bind_text(3, r.sector);
      s.bind_text(4, r.price).bind_text(5, r.note).run();
    }
    db_.run("commit");
  }
}

void bare_sqlite::update(std::span<const sample_row> rows) {
  sqlite_statement s = db_.prepare("update stocks set price = ?, note = ? where id = ?");
  for (std::size_t at = 0; at < rows.size(); at += batch_rows) {
    db_.run("begin immediate");
    for (std::size_t i = at; i < std::min(at + batch_rows, rows.size()); ++i) {
      s.bind_text(1, rows[i].price).bind_text(2, rows[i].note).bind(3, static_cast<std::int64_t>(i)).run();
    }
    db_.run("commit");
  }
}

}  // namespace bench
