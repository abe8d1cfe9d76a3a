// Takes events one by one, with a timeout, in a loop of its own; no callbacks.
//
//     pull_loop [HOST [PORT]]

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include <pubsubsql/client.hpp>

int main(int argc, char** argv) {
  try {
    const std::string host = argc > 1 ? argv[1] : "127.0.0.1";
    const auto port = argc > 2 ? static_cast<std::uint16_t>(std::atoi(argv[2])) : pubsubsql::default_port;
    pubsubsql::client watcher;
    pubsubsql::client writer;
    watcher.connect(host, port);
    writer.connect(host, port);

    const auto urgent = watcher.subscribe("subscribe * from jobs where priority = high");
    writer.execute("insert into jobs (what, priority) values (sweep, low)");
    writer.execute("insert into jobs (what, priority) values ('put out the fire', high)");
    writer.execute("update jobs set priority = high where what = sweep");

    while (const auto e = watcher.next_event(std::chrono::milliseconds(500))) {
      for (const auto row : e->rows) std::cout << name_of(e->action) << ": " << row["what"] << '\n';
    }
    watcher.unsubscribe(urgent);
    writer.execute("delete from jobs");
  } catch (const pubsubsql::error& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
