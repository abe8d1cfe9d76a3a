#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "parser/frame.hpp"
#include "parser/parser.hpp"
#include "server/server.hpp"
#include "storage/database.hpp"
#include "storage/durable/statement_changes.hpp"
#include "storage/durable/store_switch.hpp"
#include "tests/unit/server/fake_store.hpp"

/// What tests of statements on their way to a store need: the real server, in the process, with a store that refuses
/// and corrects what a test wants, and clients of it.
namespace server_tests {

using namespace pubsubsql;
using boost::asio::ip::tcp;
using nlohmann::json;
using pubsubsql::server::fake_store;

constexpr unsigned thread_counts[] = {1, 4};
constexpr auto deadline = std::chrono::seconds(60);

class running_server {
 public:
  running_server(unsigned threads, unsigned seed, server::options o = {}) : store_(seed), options_(std::move(o)) {
    spdlog::set_level(spdlog::level::off);
    options_.port = options_.http_port = 0;
    options_.threads = threads;
    switch_.set(&store_);
    server_ = std::make_unique<server::server>(options_, switch_);
    store_.start([this](unsigned worker, auto& results) { server_->deliver(worker, results); });
    if (const auto problem = server_->listen()) throw std::runtime_error(*problem);
    thread_ = std::thread([this] { server_->run(); });
  }
  ~running_server() { stop(); }
  running_server(const running_server&) = delete;
  running_server& operator=(const running_server&) = delete;

  void stop() {
    if (!thread_.joinable()) return;
    store_.hold(false);
    server_->stop();
    thread_.join();
    store_.stop();
  }

  [[nodiscard]] fake_store& store() { return store_; }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }

  /// Goes on without the store. REQUIRES: nothing is held, and no client asks anything at the moment.
  void drop_store() { switch_.set(nullptr); }
  /// As if MySQL had stored the rows of `sql`, the first statement on its table, like this.
  void correct(std::string_view sql, const storage::corrected_rows& stored) {
    parser::statement_arena arena;
    storage::database engine;
    const storage::outcome& o = engine.execute(*parser::parse(sql, arena), {});
    server_->correct(std::make_shared<const storage::durable::statement_changes>(*o.about, o.changes), stored);
  }

 private:
  fake_store store_;
  storage::durable::store_switch switch_;
  server::options options_;
  std::unique_ptr<server::server> server_;
  std::thread thread_;
};

/// A framed connection that blocks. Events met while a reply is awaited are put aside.
class client {
 public:
  explicit client(const running_server& to) : socket_(context_) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), to.port()});
    const timeval limit{.tv_sec = deadline.count(), .tv_usec = 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }

  void send(std::string_view sql) {
    const auto header =
        parser::encode({.payload_bytes = static_cast<std::uint32_t>(sql.size()), .request_id = ++last_sent_});
    std::string bytes(header.data(), header.size());
    bytes += sql;
    boost::asio::write(socket_, boost::asio::buffer(bytes));
  }

  /// The next reply; fails when it is not the one that is due.
  json reply() {
    for (;;) {
      const auto [id, message] = read();
      if (id == 0) {
        events.push_back(message);
        continue;
      }
      if (!more_follows_) ++last_replied_;
      more_follows_ = message.contains("data") && message["torow"] != message["rows"];
      if (id != last_replied_) throw std::runtime_error("reply " + std::to_string(id) + " is out of order");
      return message;
    }
  }

  json ask(std::string_view sql) {
    send(sql);
    json whole = reply();
    while (whole.contains("data") && whole["torow"] != whole["rows"]) {
      json batch = reply();
      for (const json& row : batch["data"]) whole["data"].push_back(row);
      whole["torow"] = batch["torow"];
    }
    return whole;
  }

  [[nodiscard]] bool has_input() const { return socket_.available() > 0; }

  /// Goes without a word.
  void reset() {
    socket_.set_option(tcp::socket::linger(true, 0));
    socket_.close();
  }

  std::vector<json> events;

 private:
  std::pair<std::uint32_t, json> read() {
    std::array<char, parser::frame_header_bytes> header{};
    boost::asio::read(socket_, boost::asio::buffer(header));
    const auto number = [&header](std::size_t at) {
      std::uint32_t n = 0;
      for (std::size_t i = 0; i < 4; ++i) n = (n << 8U) | static_cast<unsigned char>(header[at + i]);
      return n;
    };
    std::string payload(number(0), '\0');
    boost::asio::read(socket_, boost::asio::buffer(payload));
    return {number(4), json::parse(payload)};
  }

  boost::asio::io_context context_;
  tcp::socket socket_;
  std::uint32_t last_sent_ = 0;
  std::uint32_t last_replied_ = 0;
  bool more_follows_ = false;  // the reply comes in several batches
};

/// A reply in short: "ok 1", "err no", "ok [[0,a]]".
inline std::string brief(const json& reply) {
  std::string out = reply["status"];
  if (out == "err") return out + " " + std::string(reply["msg"]);
  if (reply.contains("data")) return out + " " + reply["data"].dump();
  return reply.contains("rows") ? out + " " + reply["rows"].dump() : out;
}

/// What is stored and what is selected, in the same words.
inline std::string rows_of(const json& reply) {
  std::string out;
  for (const json& row : reply["data"]) {
    std::size_t end = row.size();
    while (end > 1 && row[end - 1].is_null()) --end;
    out += std::string(row[0]) + ":";
    for (std::size_t i = 1; i < end; ++i) out += (row[i].is_null() ? "null" : std::string(row[i])) + ",";
    out += ";";
  }
  return out;
}

/// Rows by id as a subscriber has them, column by column.
}  // namespace server_tests
