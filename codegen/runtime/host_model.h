#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "codegen/program.h"
#include "core/ir/types.h"

namespace xgen {

/// A compiled model loaded into this process: what `infer`, `evaluate` and `bench` run.
class HostModel {
 public:
  /// Builds the generated C with the system's compiler and loads it.
  ///
  /// @param kernels  instruction sets to build, best last; empty: scalar and all that this machine
  /// runs.
  /// @throws UserError when there is no C compiler.
  static HostModel build(const Program& program, const std::vector<std::string>& kernels = {});
  /// Builds and loads the C of a bundle. @throws UserError for a folder that is none.
  static HostModel load(const std::filesystem::path& bundle);

  HostModel(HostModel&&) noexcept;
  HostModel& operator=(HostModel&&) noexcept;
  ~HostModel();

  /// Takes another instruction set. @throws UserError when it is not there or does not run here.
  void select(const std::string& kernels);
  std::string kernels() const;

  const std::vector<TensorInfo>& inputs() const;  ///< batch included.
  const std::vector<TensorInfo>& outputs() const;
  std::size_t memory_bytes() const;
  std::size_t code_bytes() const;  ///< of the library that was built, without weights and symbols.

  /// @param inputs  row major, as inputs() says. @throws UserError for another shape or type.
  std::vector<ir::Constant> run(const std::vector<ir::Constant>& inputs);
  /// The same on raw memory, without checks: for timing.
  void run_raw(const void* const* inputs, void* const* outputs);

  int step_count() const;
  std::string step_name(int step) const;
  void run_step(int step, const void* const* inputs, void* const* outputs);

 private:
  struct State;
  explicit HostModel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace xgen
