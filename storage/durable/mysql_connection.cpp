#include "storage/durable/mysql_connection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <list>
#include <unordered_map>
#include <utility>

#include <cppconn/connection.h>
#include <cppconn/datatype.h>
#include <cppconn/exception.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <cppconn/statement.h>
#include <mysql_driver.h>

#include "parser/utf8.hpp"
#include "storage/durable/helper_thread.hpp"
#include "storage/sql/byte_text.hpp"

namespace pubsubsql::storage::durable {

namespace connector = ::sql;  // within reach there is a namespace of ours of that name

namespace {

using namespace std::chrono_literals;

struct code_range {
  int first;
  int last;
};

/// The codes that speak of the server, the way to it, or our rights, and not of one statement. Those below 1000 are of
/// MySQL's file functions, 1000 to 1999 of both servers, 2000 to 2999 of the client, 3000 to 3999 of MySQL, 4000 and
/// above of MariaDB or MySQL. Codes that say on which side of the line they are only by their text are taken as
/// outages: a write is then kept and tried again, and not thrown away.
constexpr std::array outage_codes = {
    code_range{1, 3},        // files: cannot create, read or write
    code_range{5, 5},        // files: out of memory
    code_range{14, 14},      // files: cannot grow
    code_range{20, 20},      // files: disk full
    code_range{23, 23},      // files: too many open
    code_range{1021, 1021},  // disk full
    code_range{1026, 1026},  // error on writing a file
    code_range{1030, 1030},  // an error of the storage engine, "no space left" among them
    code_range{1037, 1037},  // out of memory
    code_range{1040,
               1045},  // too many connections, out of resources, handshake refused, no right to the database, login
    code_range{1046, 1046},  // no database: it was dropped while we were connected
    code_range{1047, 1047},  // unknown command: a Galera node that is not ready
    code_range{1049, 1049},  // no such database
    code_range{1053, 1053},  // server shuts down
    code_range{1077, 1077},  // normal shutdown
    code_range{1079, 1080},  // shutdown complete, thread closed by force
    code_range{1114, 1114},  // table full: so InnoDB calls a full disk
    code_range{1129, 1130},  // host blocked or not allowed
    code_range{1135, 1135},  // cannot create a thread
    code_range{1142, 1143},  // no right to the table or column
    code_range{1152, 1152},  // connection aborted
    code_range{1154, 1161},  // network errors; 1153 between them is a packet too large, the fault of a statement
    code_range{1180, 1180},  // error during COMMIT
    code_range{1184, 1184},  // connection aborted
    code_range{1189, 1190},  // network errors
    code_range{1203, 1203},  // too many connections of this user
    code_range{1226, 1227},  // user's quota used up; a right is missing
    code_range{1251, 1251},  // login protocol refused
    code_range{1275, 1275},  // login protocol refused
    code_range{1290, 1290},  // server runs with --read-only
    code_range{1370, 1370},  // no right to a routine, or to one that a trigger calls
    code_range{1461, 1461},  // too many prepared statements on the server
    code_range{1524, 1524},  // login plugin not loaded
    code_range{1598, 1598},  // binary log cannot be written
    code_range{1637, 1637},  // too many concurrent transactions
    code_range{1698, 1698},  // login without password refused
    code_range{1792, 1792},  // transactions are read only by the server's setting
    code_range{1820, 1820},  // password must be changed
    code_range{1836, 1836},  // server is in read-only mode
    code_range{1862, 1862},  // password expired
    code_range{1873, 1874},  // login refused; InnoDB is read only
    code_range{1927, 1927},  // connection killed
    code_range{2000, 2019},  // client: cannot connect, server gone, connection lost, out of step
    code_range{2021, 2030},  // client: TLS, malformed packet, statement lost; 2020 is a packet too large
    code_range{2047, 2050},  // client: wrong protocol, login refused, reading cancelled
    code_range{2054, 2056},  // client: login protocol not supported, connection lost, statement closed by a reset
    code_range{2058, 2068},  // client: connected twice, login plugin missing or failing, local files
    code_range{3032, 3032},  // server is in offline mode
    code_range{3100, 3100},  // group replication refuses to commit
    code_range{3118, 3118},  // account locked
    code_range{3159, 3159},  // server insists on TLS
    code_range{3168, 3169},  // server not available, session killed
    code_range{4031, 4031},  // MySQL: disconnected after being idle
    code_range{4151, 4151},  // MariaDB: account locked
    code_range{5012, 5015},  // MariaDB's client: cannot load a plugin, network errors
};

constexpr std::array transient_codes = {
    1020,  // record has changed since last read
    1205,  // lock wait timeout
    1213,  // deadlock
    1317,  // somebody interrupted the statement
    1412,  // table definition has changed
    1615,  // statement has to be prepared again
    1969,  // MariaDB: took longer than max_statement_time
    3024,  // MySQL: took longer than max_execution_time
    3101,  // group replication: the plugin rolled back
};

constexpr int packet_too_large = 1153;
constexpr int tls_failed = 2026;
constexpr int parameters_missing = 2031;

/// Longer text is sent by the connector as "long data", which the server takes as bytes without a character set.
constexpr std::size_t plain_parameter_bytes_max = 256U << 10;
/// A prepared statement keeps its parameters; more than this is given back at once. Rows of usual size stay below it in
/// their largest statement, whose thousands of parameters would otherwise be allocated anew each time.
constexpr std::size_t kept_parameter_bytes_max = 512U << 10;
/// Statements run ahead that have not finished: behind the one that the server is at work on, one that it gets next
/// without waiting for anybody.
constexpr std::size_t ahead_max = 2;
/// In a packet a parameter takes its type, a bit for NULL and its length beside the bytes; a packet has a header.
constexpr std::size_t parameter_overhead_bytes = 12;
constexpr std::size_t packet_overhead_bytes = 64;

/// Calls the connector; what it throws becomes ours.
template <typename F>
auto guarded(F&& f) {
  try {
    return f();
  } catch (const connector::SQLException& e) {
    throw mysql_error(e.getErrorCode(), e.getSQLState(), e.what());
  }
}

int whole_seconds(std::chrono::milliseconds t) {
  return static_cast<int>(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(t).count()));
}

bool is_text(std::string_view bytes) {
  return parser::find_invalid_utf8(bytes) == std::string_view::npos;
}

/// The text of a parameter that is one; empty for the others.
std::string_view text_of(const mysql_parameter& p) {
  const auto* text = std::get_if<std::string_view>(&p);
  return text != nullptr ? *text : std::string_view();
}

/// Bytes of a statement sent with its parameters, or a few more.
std::size_t packet_bytes(const std::string& sql, std::span<const mysql_parameter> parameters) {
  std::size_t bytes = packet_overhead_bytes + sql.size();
  for (const mysql_parameter& p : parameters) bytes += parameter_overhead_bytes + text_of(p).size();
  return bytes;
}

/// The end of the quoted text or comment that begins at `begin`.
std::size_t quoted_end(std::string_view sql, std::size_t begin) {
  if (sql[begin] == '/') {
    const std::size_t end = sql.find("*/", begin + 2);
    return end == std::string_view::npos ? sql.size() : end + 2;
  }
  std::size_t i = begin + 1;
  while (i < sql.size() && sql[i] != sql[begin]) i += sql[i] == '\\' && sql[begin] != '`' ? 2U : 1U;
  return std::min(i + 1, sql.size());
}

/// The SQL with something written in place of each `?` that stands for a parameter: `write(out, parameter)`. The SQL is
/// ours: it has no comments to the end of the line.
template <typename F>
std::string with_placeholders(std::string_view sql, std::span<const mysql_parameter> parameters, F&& write) {
  std::string out;
  std::size_t used = 0;
  for (std::size_t i = 0; i < sql.size();) {
    const char c = sql[i];
    if (c == '?') {
      if (used < parameters.size()) write(out, parameters[used]);
      ++used;
      ++i;
      continue;
    }
    const bool is_quoted = c == '\'' || c == '"' || c == '`' || sql.substr(i, 2) == "/*";
    const std::size_t end = is_quoted ? quoted_end(sql, i) : i + 1;
    out += sql.substr(i, end - i);
    i = end;
  }
  if (used != parameters.size()) {
    throw mysql_error(parameters_missing, "HY000",
                      "the statement has " + std::to_string(used) + " placeholders and " +
                          std::to_string(parameters.size()) + " parameters");
  }
  return out;
}

void append_literal(std::string& out, const mysql_parameter& p) {
  if (const auto* number = std::get_if<std::int64_t>(&p)) {
    out += std::to_string(*number);
    return;
  }
  if (std::holds_alternative<std::monostate>(p)) {
    out += "NULL";
    return;
  }
  const std::string_view text = text_of(p);
  out += is_text(text) ? "_utf8mb4 X'" : "_binary X'";
  sql::append_digits(out, text);
  out += '\'';
}

bool is_long_text(const mysql_parameter& p) {
  const std::string_view text = text_of(p);
  return text.size() > plain_parameter_bytes_max && is_text(text);
}

/// The SQL that tells the server that long text is text. Otherwise its bytes would be put into a latin1 column as they
/// are, and refused by a JSON column.
std::string with_long_texts(const std::string& sql, std::span<const mysql_parameter> parameters) {
  return with_placeholders(sql, parameters, [](std::string& out, const mysql_parameter& p) {
    out += is_long_text(p) ? "CONVERT(? USING utf8mb4)" : "?";
  });
}

/// Text and bytes alike: the server takes a string parameter for a binary column as it is.
void bind(connector::PreparedStatement& s, std::span<const mysql_parameter> parameters) {
  unsigned number = 0;
  for (const mysql_parameter& p : parameters) {
    ++number;
    if (const auto* text = std::get_if<std::string_view>(&p)) {
      s.setString(number, connector::SQLString(text->data(), text->size()));
    } else if (const auto* integer = std::get_if<std::int64_t>(&p)) {
      s.setInt64(number, *integer);
    } else {
      s.setNull(number, connector::DataType::VARCHAR);
    }
  }
}

std::uint64_t execute_bound(connector::PreparedStatement& s, std::span<const mysql_parameter> parameters) {
  bind(s, parameters);
  // The connector squeezes the count, which fits, into an int. Its getUpdateCount() is missing here.
  return static_cast<std::uint32_t>(s.executeUpdate());
}

/// Gives large parameters of a kept statement back when it has been executed, or has failed.
class parameter_memory {
 public:
  parameter_memory(connector::PreparedStatement& s, std::size_t bytes) : statement_(s), bytes_(bytes) {}
  ~parameter_memory() {
    if (bytes_ > kept_parameter_bytes_max) statement_.clearParameters();
  }
  parameter_memory(const parameter_memory&) = delete;
  parameter_memory& operator=(const parameter_memory&) = delete;

 private:
  connector::PreparedStatement& statement_;
  std::size_t bytes_;
};

using held_rows = std::vector<std::vector<std::optional<std::string>>>;

/// Whether the row is there. Each text is valid until the next row.
bool next_row(connector::ResultSet& result, std::vector<std::optional<std::string>>& row) {
  if (!result.next()) return false;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto column = static_cast<std::uint32_t>(i + 1);
    if (result.isNull(column)) {
      row[i].reset();
      continue;
    }
    const connector::SQLString text = result.getString(column);
    if (!row[i]) row[i].emplace();
    row[i]->assign(text.c_str(), text.length());
  }
  return true;
}

std::vector<std::optional<std::string>> empty_row(connector::ResultSet& result) {
  return std::vector<std::optional<std::string>>(result.getMetaData()->getColumnCount());
}

/// `10.11.6-MariaDB` is 101106.
unsigned version_number(std::string_view text) {
  unsigned number = 0;
  for (const unsigned unit : {10'000U, 100U, 1U}) {
    unsigned part = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), part);
    if (error != std::errc()) break;
    number += part * unit;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    if (!text.starts_with('.')) break;
    text.remove_prefix(1);
  }
  return number;
}

connector::ConnectOptionsMap connect_options(const mysql_address& a, const mysql_connection::settings& s) {
  connector::ConnectOptionsMap options;
  const bool is_ipv6 = a.host.find(':') != std::string::npos;
  options["hostName"] = !a.socket.empty()
                            ? "unix://" + a.socket
                            : "tcp://" + (is_ipv6 ? '[' + a.host + ']' : a.host) + ':' + std::to_string(a.port);
  options["userName"] = a.user;
  options["password"] = a.password;
  options["schema"] = a.database;
  options["OPT_CONNECT_TIMEOUT"] = whole_seconds(s.connect_timeout);
  options["OPT_READ_TIMEOUT"] = whole_seconds(s.answer_timeout);
  options["OPT_WRITE_TIMEOUT"] = whole_seconds(s.answer_timeout);
  options["OPT_CHARSET_NAME"] = "utf8mb4";
  // Left alone, the connector asks for results in the utf8 of three bytes, and an emoji comes back as a question mark.
  options["characterSetResults"] = "utf8mb4";
  // A session that comes back by itself has lost its transaction and its settings.
  options["OPT_RECONNECT"] = false;
  options["OPT_LOCAL_INFILE"] = 0;
  options["CLIENT_MULTI_STATEMENTS"] = false;
  // A row that an UPDATE found but left as it was counts: it is there.
  options["CLIENT_FOUND_ROWS"] = true;
  if (a.tls != mysql_address::tls_mode::off) options["sslEnforce"] = true;
  if (a.tls == mysql_address::tls_mode::verify) {
    options["sslVerify"] = true;
    if (!a.ca_path.empty()) options["sslCA"] = a.ca_path;
  }
  return options;
}

/// The session's settings in one statement.
std::string session_sql(const mysql_connection::settings& s) {
  // Waiting for a lock must end before we take the server for hung.
  const int lock_wait_s = std::clamp(whole_seconds(s.answer_timeout) / 2, 1, 10);
  // The server may be set up to ignore the character set that a client asks for when it connects.
  std::string sql = "SET SESSION character_set_client = utf8mb4, character_set_results = utf8mb4";
  sql += ", character_set_connection = utf8mb4";
  // MariaDB's EMPTY_STRING_IS_NULL would make NULLs of empty texts. Ids begin with 0, for which AUTO_INCREMENT gives
  // another number unless told not to. What is quoted here has its backslashes doubled.
  sql += ", sql_mode = CONCAT_WS(',', NULLIF(REPLACE(REPLACE(@@sql_mode, 'EMPTY_STRING_IS_NULL', ''), ";
  sql += "'NO_BACKSLASH_ESCAPES', ''), ''), ";
  sql += "'STRICT_ALL_TABLES', 'NO_ENGINE_SUBSTITUTION', 'NO_AUTO_VALUE_ON_ZERO')";
  sql += ", time_zone = '+00:00', autocommit = 0";
  sql += ", innodb_lock_wait_timeout = " + std::to_string(lock_wait_s);
  sql += ", lock_wait_timeout = " + std::to_string(lock_wait_s);
  // Who reads a stream may be slow, and nothing may be written for days.
  sql += ", net_write_timeout = 3600, wait_timeout = 604800";
  return sql;
}

std::unique_ptr<connector::Connection> connected(const mysql_address& a, const mysql_connection::settings& s) {
  // The first call sets the client library up, which must not happen on two threads at once.
  static connector::Driver* const driver = connector::mysql::get_driver_instance();
  connector::ConnectOptionsMap options = connect_options(a, s);
  return std::unique_ptr<connector::Connection>(driver->connect(options));
}

/// The statements kept prepared on one connection, by their SQL.
class prepared_statements {
 public:
  /// The statement if it was prepared before, otherwise nullptr. Leaves the connection alone.
  connector::PreparedStatement* find(const std::string& sql) {
    const auto found = by_sql_.find(sql);
    if (found == by_sql_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return by_use_.front().statement.get();
  }

  /// The statement, prepared now or before.
  connector::PreparedStatement& get(connector::Connection& connection, const std::string& sql) {
    if (auto* const found = find(sql)) return *found;
    std::unique_ptr<connector::PreparedStatement> statement(connection.prepareStatement(sql));
    if (by_use_.size() >= mysql_connection::prepared_max) {
      by_sql_.erase(by_use_.back().sql);
      by_use_.pop_back();
    }
    by_use_.push_front({sql, std::move(statement)});
    by_sql_.emplace(by_use_.front().sql, by_use_.begin());
    return *by_use_.front().statement;
  }

 private:
  struct entry {
    std::string sql;
    std::unique_ptr<connector::PreparedStatement> statement;
  };
  std::list<entry> by_use_;  ///< the last used first
  std::unordered_map<std::string_view, std::list<entry>::iterator> by_sql_;
};

}  // namespace

bool mysql_error::is_outage() const {
  return std::any_of(outage_codes.begin(), outage_codes.end(),
                     [this](const code_range& r) { return code_ >= r.first && code_ <= r.last; });
}

bool mysql_error::is_transient() const {
  return std::find(transient_codes.begin(), transient_codes.end(), code_) != transient_codes.end();
}

struct mysql_connection::state {
  state(const mysql_address& address, const settings& s)
      : connection(connected(address, s)), statement(connection->createStatement()) {}

  void run(const std::string& sql) {
    if (!statement->execute(sql)) return;
    const std::unique_ptr<connector::ResultSet> unwanted(statement->getResultSet());
  }

  held_rows query(const std::string& sql) {
    const std::unique_ptr<connector::ResultSet> result(statement->executeQuery(sql));
    held_rows rows;
    for (auto row = empty_row(*result); next_row(*result, row);) rows.push_back(row);
    return rows;
  }

  /// While the helper is at work, only statements that are not under way may be touched, and not the connection.
  void execute_ahead(const std::string& sql, std::span<const mysql_parameter> parameters, std::size_t bytes) {
    while (under_way.size() > helper.unfinished()) under_way.pop_front();
    // The parameters of a statement under way are still being read: the same SQL takes another one meanwhile.
    std::string text = sql;
    while (std::find(under_way.begin(), under_way.end(), text) != under_way.end()) text += ' ';
    connector::PreparedStatement* s = prepared.find(text);
    if (s == nullptr) {
      finish();
      s = &prepared.get(*connection, text);
    }
    bind(*s, parameters);
    helper.wait(ahead_max - 1);
    under_way.push_back(std::move(text));
    helper.start([this, s, bytes] {
      if (failure) return;
      try {
        const parameter_memory memory(*s, bytes);
        guarded([&] { s->executeUpdate(); });
      } catch (const mysql_error& e) {
        failure = {.code = e.code(), .sqlstate = e.sqlstate(), .message = e.what()};
      }
    });
  }

  void finish() {
    if (under_way.empty()) return;
    helper.wait();
    under_way.clear();
    if (!failure) return;
    const error_text e = *std::exchange(failure, std::nullopt);
    throw mysql_error(e.code, e.sqlstate, e.message);
  }

  /// The client library goes on in the clear when the server has no TLS, whatever `sslEnforce` says.
  void require_encryption() {
    const held_rows status = query("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
    if (!status.empty() && !status.front().at(1).value_or("").empty()) return;
    throw mysql_error(tls_failed, "HY000", "the MySQL server does not offer TLS, which the address asks for");
  }

  /// When an error ends a result that is read as it arrives, the connector takes most errors for its end. The server
  /// remembers.
  void throw_if_cut_short() {
    const held_rows errors = query("SHOW ERRORS LIMIT 1");
    if (errors.empty() || errors.front().size() < 3) return;
    const std::string code = errors.front()[1].value_or("");
    int number = 0;
    std::from_chars(code.data(), code.data() + code.size(), number);
    throw mysql_error(number, "HY000", errors.front()[2].value_or(""));
  }

  // Destroyed in reverse: statements need their connection.
  std::unique_ptr<connector::Connection> connection;
  std::unique_ptr<connector::Statement> statement;
  prepared_statements prepared;

  // What is run ahead. An error goes over as plain data: an exception that two threads share is freed by whoever is
  // last.
  struct error_text {
    int code;
    std::string sqlstate;
    std::string message;
  };
  std::deque<std::string> under_way;  // by their SQL; some may have finished
  std::optional<error_text> failure;  // of the first that failed; the helper's until it has finished
  helper_thread helper;
};

mysql_connection::mysql_connection(const mysql_address& address, const settings& s) {
  guarded([&] {
    state_ = std::make_unique<state>(address, s);
    if (address.tls != mysql_address::tls_mode::off) state_->require_encryption();
    state_->run(session_sql(s));
    state_->run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    // Only MariaDB reads what is in the comment; a version's text can be made up by whoever runs the server.
    const held_rows facts = state_->query("SELECT VERSION(), @@max_allowed_packet, 0 /*M! + 1 */");
    version_text_ = facts.at(0).at(0).value_or("");
    server_version_ = version_number(version_text_);
    packet_bytes_max_ = std::stoull(facts.at(0).at(1).value_or("0"));
    is_mariadb_ = facts.at(0).at(2) == "1";
  });
}

mysql_connection::~mysql_connection() = default;

void mysql_connection::require_fits(std::size_t bytes) const {
  if (bytes <= packet_bytes_max_) return;
  // The server would close the connection over it.
  throw mysql_error(packet_too_large, "08S01",
                    "a statement of " + std::to_string(bytes) + " bytes is larger than MySQL's max_allowed_packet of " +
                        std::to_string(packet_bytes_max_) + " bytes");
}

void mysql_connection::run(const std::string& sql) {
  require_fits(packet_bytes(sql, {}));
  finish();
  guarded([&] { state_->run(sql); });
}

held_rows mysql_connection::query(const std::string& sql) {
  require_fits(packet_bytes(sql, {}));
  finish();
  return guarded([&] { return state_->query(sql); });
}

void mysql_connection::stream(const std::string& sql, const std::function<void(std::span<const value> row)>& on_row) {
  require_fits(packet_bytes(sql, {}));
  finish();
  guarded([&] {
    {
      const std::unique_ptr<connector::Statement> statement(state_->connection->createStatement());
      statement->setResultSetType(connector::ResultSet::TYPE_FORWARD_ONLY);
      const std::unique_ptr<connector::ResultSet> result(statement->executeQuery(sql));
      auto texts = empty_row(*result);
      std::vector<value> row(texts.size());
      while (next_row(*result, texts)) {
        std::copy(texts.begin(), texts.end(), row.begin());
        on_row(row);
      }
    }
    state_->throw_if_cut_short();
  });
}

std::uint64_t mysql_connection::execute(const std::string& sql, std::span<const mysql_parameter> parameters) {
  const std::size_t bytes = packet_bytes(sql, parameters);
  require_fits(bytes);
  finish();
  return guarded([&] {
    if (std::any_of(parameters.begin(), parameters.end(), is_long_text)) {
      // Where the long ones stand differs each time: not worth keeping, and their cost is elsewhere.
      const std::unique_ptr<connector::PreparedStatement> once(
          state_->connection->prepareStatement(with_long_texts(sql, parameters)));
      return execute_bound(*once, parameters);
    }
    connector::PreparedStatement& statement = state_->prepared.get(*state_->connection, sql);
    const parameter_memory memory(statement, bytes);
    return execute_bound(statement, parameters);
  });
}

void mysql_connection::execute_ahead(const std::string& sql, std::span<const mysql_parameter> parameters) {
  if (std::any_of(parameters.begin(), parameters.end(), is_long_text)) {
    execute(sql, parameters);
    return;
  }
  const std::size_t bytes = packet_bytes(sql, parameters);
  require_fits(bytes);
  guarded([&] { state_->execute_ahead(sql, parameters, bytes); });
}

void mysql_connection::finish() {
  state_->finish();
}

/// Not prepared on the server: the connector would turn the results of a prepared statement from binary forms into text
/// that is not MySQL's (fewer digits of a DOUBLE, more of a DATETIME(3)). In hexadecimal no value needs escaping.
held_rows mysql_connection::query(const std::string& sql, std::span<const mysql_parameter> parameters) {
  return query(with_placeholders(sql, parameters, append_literal));
}

std::uint64_t mysql_connection::last_insert_id() {
  return std::stoull(query("SELECT LAST_INSERT_ID()").at(0).at(0).value_or("0"));
}

std::string quoted_name(std::string_view name) {
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += c;
    out += c;
  }
  out += '`';
  return out;
}

}  // namespace pubsubsql::storage::durable
