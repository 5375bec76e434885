#pragma once

#include <stdexcept>

namespace xgen::cli {

/// The requirements cannot be met; the best points are saved. Exit code 3.
class RequirementsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace xgen::cli
