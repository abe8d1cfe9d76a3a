#pragma once

#include "tools/bench/report.hpp"

namespace bench {

/// Says in the report what machine and system it runs on.
void describe_machine(report& out);

}  // namespace bench
