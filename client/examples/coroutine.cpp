// Two connections on one io_context, as coroutines: one watches a table, the other changes it.
//
//     coroutine [HOST [PORT]]

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <pubsubsql/async_client.hpp>

namespace asio = boost::asio;
using asio::use_awaitable;

namespace {

asio::awaitable<void> change(pubsubsql::async_client& db, std::string host, std::uint16_t port) {
  co_await db.async_connect(host, port, use_awaitable);
  for (const char* sql : {"insert into lights (room, state) values (kitchen, on)",
                          "update lights set state = off where room = kitchen", "delete from lights"}) {
    const auto done = co_await db.async_execute(sql, use_awaitable);
    std::cout << done.action() << ": " << done.affected() << " row\n";
  }
}

asio::awaitable<void> watch(pubsubsql::async_client& db, pubsubsql::async_client& writer, std::string host,
                            std::uint16_t port) {
  co_await db.async_connect(host, port, use_awaitable);
  co_await db.async_subscribe("subscribe * from lights", use_awaitable);
  co_await change(writer, host, port);
  for (bool on = true; on;) {
    const auto e = co_await db.async_next_event(use_awaitable);
    for (const auto row : e.rows) std::cout << "event " << name_of(e.action) << ", id " << row["id"] << '\n';
    on = e.action != pubsubsql::event_action::deleted;
  }
  db.close();
  writer.close();
}

}  // namespace

int main(int argc, char** argv) {
  asio::io_context loop(1);
  pubsubsql::async_client watcher(loop.get_executor());
  pubsubsql::async_client writer(loop.get_executor());
  const std::string host = argc > 1 ? argv[1] : "127.0.0.1";
  const auto port = argc > 2 ? static_cast<std::uint16_t>(std::atoi(argv[2])) : pubsubsql::default_port;
  int status = 0;
  asio::co_spawn(loop, watch(watcher, writer, host, port), [&](const std::exception_ptr& failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& e) {
      std::cerr << e.what() << '\n';
      status = 1;
    }
  });
  loop.run();
  return status;
}
