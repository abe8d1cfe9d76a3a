#include "storage/durable/sqlite_database.hpp"

#include <sqlite3.h>

namespace pubsubsql::storage::durable {

namespace {

[[noreturn]] void fail(sqlite3* db) {
  throw sqlite_error(sqlite3_extended_errcode(db), sqlite3_errmsg(db));
}

}  // namespace

bool sqlite_error::is_about_the_file() const {
  switch (code_ & 0xff) {  // the primary code of an extended one
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PERM:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return true;
    default:
      return false;
  }
}

void sqlite_statement::finalizer::operator()(sqlite3_stmt* s) const {
  sqlite3_finalize(s);
}

sqlite_statement::sqlite_statement(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* made = nullptr;
  const int code =
      sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &made, nullptr);
  statement_.reset(made);
  if (code != SQLITE_OK) fail(db);
}

void sqlite_statement::check(int code) const {
  if (code != SQLITE_OK) fail(sqlite3_db_handle(statement_.get()));
}

sqlite_statement& sqlite_statement::bind(int parameter, std::int64_t number) {
  check(sqlite3_bind_int64(statement_.get(), parameter, number));
  return *this;
}

sqlite_statement& sqlite_statement::bind_text(int parameter, std::string_view text) {
  check(sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

sqlite_statement& sqlite_statement::bind_bytes(int parameter, std::string_view bytes) {
  check(sqlite3_bind_blob64(statement_.get(), parameter, bytes.data(), bytes.size(), SQLITE_STATIC));
  return *this;
}

sqlite_statement& sqlite_statement::bind_null(int parameter) {
  check(sqlite3_bind_null(statement_.get(), parameter));
  return *this;
}

bool sqlite_statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  sqlite3* db = sqlite3_db_handle(statement_.get());
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_.get());
    return false;
  }
  const sqlite_error error(sqlite3_extended_errcode(db), sqlite3_errmsg(db));
  sqlite3_reset(statement_.get());
  throw error;
}

void sqlite_statement::run() {
  while (step()) {
  }
}

std::int64_t sqlite_statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view sqlite_statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return {text == nullptr ? "" : text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::string_view sqlite_statement::bytes(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  return {bytes == nullptr ? "" : bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

bool sqlite_statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void sqlite_database::closer::operator()(sqlite3* db) const {
  sqlite3_close_v2(db);
}

sqlite_database::sqlite_database(const std::string& path) {
  sqlite3* made = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &made, flags, nullptr);
  db_.reset(made);
  if (made == nullptr) throw sqlite_error(code, sqlite3_errstr(code));
  if (code != SQLITE_OK) fail(made);
  sqlite3_extended_result_codes(made, 1);
  sqlite3_busy_timeout(made, 10'000);
}

void sqlite_database::run(std::string_view sql) {
  prepare(sql).run();
}

std::int64_t sqlite_database::number(std::string_view sql) const {
  sqlite_statement s = prepare(sql);
  return s.step() ? s.number(0) : 0;
}

bool sqlite_database::in_transaction() const {
  return sqlite3_get_autocommit(db_.get()) == 0;
}

}  // namespace pubsubsql::storage::durable
