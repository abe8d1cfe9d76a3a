#pragma once

#include <cstdint>

#include "storage/outcome.hpp"

namespace pubsubsql::server {

/// What a storage::subscriber_id is to the server: a session's worker, its place there, and a generation that tells it
/// from earlier sessions in the same place. Never all zero.
struct subscriber {
  unsigned worker = 0;           ///< below 256
  std::uint32_t place = 0;       ///< below 2^24
  std::uint32_t generation = 0;  ///< from 1

  [[nodiscard]] storage::subscriber_id id() const {
    return storage::subscriber_id{(std::uint64_t{worker} << 56U) | (std::uint64_t{place} << 32U) | generation};
  }
  [[nodiscard]] static subscriber of(storage::subscriber_id id) {
    const auto bits = static_cast<std::uint64_t>(id);
    return {.worker = static_cast<unsigned>(bits >> 56U),
            .place = static_cast<std::uint32_t>((bits >> 32U) & 0xffffffU),
            .generation = static_cast<std::uint32_t>(bits)};
  }
};

}  // namespace pubsubsql::server
