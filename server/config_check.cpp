#include "server/config_check.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <unistd.h>

#include "server/bind_rule.hpp"
#include "server/file_descriptors.hpp"
#include "server/tls_certificates.hpp"
#include "storage/access/users_file.hpp"
#include "storage/durable/mysql_address.hpp"
#include "storage/durable/sqlite_files.hpp"

namespace pubsubsql::server {

namespace {

namespace fs = std::filesystem;
using problem = std::optional<std::string>;

problem check_address(const options& o) {
  using boost::asio::ip::tcp;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(o.bind, error);
  if (error) return "--bind " + o.bind + " is not an IP address; use one of this machine, such as 127.0.0.1";
  if (auto refused = bind_problem(address, o)) return refused;
  // Any port: the one that is set may be in use by the server whose settings these are.
  boost::asio::io_context context;
  tcp::acceptor acceptor(context);
  const tcp::endpoint endpoint(address, 0);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) return std::nullopt;
  return "--bind " + o.bind + " cannot be listened on: " + error.message() + "; use an address of this machine";
}

std::string cannot(const fs::path& path, std::string_view what) {
  return "--data: cannot " + std::string(what) + " " + path.string() + ": " + std::strerror(errno) +
         "; choose another directory, or change its owner or rights";
}

problem check_file(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  if (::access(path.c_str(), R_OK | W_OK) != 0) return cannot(path, "read and write");
  std::array<char, 16> header{};
  std::ifstream file(path, std::ios::binary);
  file.read(header.data(), header.size());
  if (file.gcount() == 0 || std::memcmp(header.data(), "SQLite format 3", header.size()) == 0) return std::nullopt;
  return "--data: " + path.string() +
         " is not a SQLite database; restore it from a backup, or choose another directory";
}

problem check_data_directory(const options& o) {
  if (o.data_directory.empty()) return std::nullopt;
  const fs::path directory = o.data_directory;
  std::error_code ignored;
  fs::path existing = fs::absolute(directory, ignored);
  while (!fs::exists(existing, ignored) && existing.has_relative_path()) existing = existing.parent_path();
  if (!fs::is_directory(existing, ignored)) {
    return "--data: " + existing.string() + " is not a directory; choose another, or move the file away";
  }
  if (::access(existing.c_str(), W_OK | X_OK) != 0) return cannot(existing, "write to");
  if (const auto emptied = storage::durable::find_emptied(o.data_directory)) return "--data: " + *emptied;
  for (const char* name : {"pubsubsql.db", "pubsubsql.db-wal", "lock"}) {
    const fs::path path = directory / name;
    const bool is_database = std::string_view(name) == "pubsubsql.db";
    if (is_database) {
      if (auto found = check_file(path)) return found;
    } else if (fs::exists(path, ignored) && ::access(path.c_str(), R_OK | W_OK) != 0) {
      return cannot(path, "read and write");
    }
  }
  return std::nullopt;
}

problem check_mysql(const options& o) {
  if (o.mysql.empty()) {
    if (o.mysql_tables.empty()) return std::nullopt;
    return "--mysql-tables says what to take over from MySQL, but --mysql is not set; set it, or leave both out";
  }
  const auto address = storage::durable::parse_mysql_address(o.mysql);
  if (address) return std::nullopt;
  return "--mysql: " + address.error();
}

problem check_files(const options& o) {
  return raise_file_limit(o.connections_max);
}

problem check_users(const options& o) {
  if (o.users_file.empty()) return std::nullopt;
  const auto users = access::read_users(o.users_file);
  if (users) return std::nullopt;
  return users.error();
}

problem check_certificates(const options& o) {
  return tls_certificates(o.tls).load();
}

constexpr std::array checks = {check_address, check_data_directory, check_mysql,
                               check_files,   check_users,          check_certificates};

}  // namespace

std::span<const config_check> config_checks() {
  return checks;
}

int check_config(const options& o) {
  bool sound = true;
  for (const config_check check : config_checks()) {
    if (const auto found = check(o)) {
      std::fprintf(stderr, "%s\n", found->c_str());
      sound = false;
    }
  }
  if (sound) std::fputs(o.shown.c_str(), stdout);
  return sound ? 0 : 1;
}

}  // namespace pubsubsql::server
