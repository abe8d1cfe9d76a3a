// Prints every change of a table as it happens, through a callback. After a restart of the server it goes on where it
// was, or, when the server has what it missed no longer, with all rows anew.
//
//     subscriber [HOST [PORT [SECONDS]]]

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>

#include <pubsubsql/client.hpp>

int main(int argc, char** argv) {
  try {
    pubsubsql::client_options options;
    options.reconnect.automatic = true;
    pubsubsql::client db(options);
    db.connect(argc > 1 ? argv[1] : "127.0.0.1",
               argc > 2 ? static_cast<std::uint16_t>(std::atoi(argv[2])) : pubsubsql::default_port);

    const auto show = [](const pubsubsql::event& e) {
      if (e.action == pubsubsql::event_action::resync) std::cout << "connected anew, the rows come again" << std::endl;
      if (e.action == pubsubsql::event_action::resumed) std::cout << "connected anew, nothing was missed" << std::endl;
      if (e.action == pubsubsql::event_action::gap) std::cout << e.lost << " events were lost" << std::endl;
      for (const auto row : e.rows) {
        std::cout << name_of(e.action);
        for (std::size_t i = 0; i < row.size(); ++i) std::cout << ' ' << e.rows.columns()[i] << '=' << row[i];
        std::cout << std::endl;
      }
    };
    db.subscribe("subscribe * from stocks", show);
    db.run(std::chrono::seconds(argc > 3 ? std::atoi(argv[3]) : 3600));
  } catch (const pubsubsql::error& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
