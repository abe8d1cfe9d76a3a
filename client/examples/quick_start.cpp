// Connects, writes a few rows and reads them back.
//
//     quick_start [HOST [PORT]]

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

    db.execute(
        "insert into planets (name, moons, radius_km) values (Earth, 1, 6371), (Mars, 2, 3389.5), (Vesta, null, "
        "262.7)");
    const std::string name = "Vesta";
    db.execute("update planets set moons = ? where name = ?", 0, name);

    const auto planets = db.execute("select name, moons, radius_km from planets");
    for (const auto row : planets) {
      std::cout << row["name"] << ": " << row["moons"].as<int>() << " moons, " << row["radius_km"].as<double>()
                << " km\n";
    }

    const auto deleted = db.execute("delete from planets");
    std::cout << deleted.affected() << " rows deleted\n";
  } catch (const pubsubsql::error& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
