#pragma once

#include <cstdint>
#include <string>

namespace demo {

/// Claims jobs and does them, one after the other, until the table `ci_pipeline` says that there will be no more.
///
/// A job is claimed by one statement, which gives it to nobody else, and finished by one transaction, in which its
/// result is written only if the job is still this worker's. While there are no jobs the worker sleeps: it is
/// subscribed to new ones.
void work(const std::string& host, std::uint16_t port, const std::string& name);

}  // namespace demo
