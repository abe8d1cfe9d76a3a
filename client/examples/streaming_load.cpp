// Loads many rows as fast as the server takes them, without waiting for each.
//
//     streaming_load [HOST [PORT [ROWS]]]

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include <pubsubsql/client.hpp>

int main(int argc, char** argv) {
  try {
    pubsubsql::client db;
    db.connect(argc > 1 ? argv[1] : "127.0.0.1",
               argc > 2 ? static_cast<std::uint16_t>(std::atoi(argv[2])) : pubsubsql::default_port);
    const int rows = argc > 3 ? std::atoi(argv[3]) : 100'000;

    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < rows; ++i) {
      const std::string n = std::to_string(i);
      db.stream("insert into measurements (sensor, reading) values (s" + std::to_string(i % 100) + ", " + n + ")");
    }
    const auto refused = db.drain();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;

    std::cout << rows << " rows in " << took.count() << " s, " << refused.size() << " refused\n";
    for (const auto& r : refused) std::cout << "statement " << r.id << ": " << r.why.what() << '\n';
    std::cout << db.execute("delete from measurements").affected() << " rows deleted\n";
  } catch (const pubsubsql::error& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
