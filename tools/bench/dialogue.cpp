#include "tools/bench/dialogue.hpp"

#include <array>
#include <string_view>

namespace bench {

dialogue::dialogue(const dialect& speech, std::uint16_t port) : speech_(speech), socket_(port) {
  ask(speech_.greeting());
}

std::string dialogue::ask(const exchange& e) {
  for (std::string_view unsent = e.bytes; !unsent.empty(); unsent.remove_prefix(socket_.send_some(unsent))) {
  }
  std::string input;
  std::size_t read = 0;
  std::array<char, 4096> buffer;
  for (std::size_t replies = 0; replies < e.replies;) {
    socket_.wait();
    const auto got = socket_.receive_some(buffer);
    if (!got) continue;
    input.append(buffer.data(), *got);
    const taken_replies taken = speech_.take_replies(std::string_view(input).substr(read));
    read += taken.bytes;
    replies += taken.replies;
  }
  return input;
}

}  // namespace bench
