#pragma once

#include <cstddef>
#include <variant>

#include "codegen/program.h"
#include "codegen/step_fields.h"

/// The fields of steps that are places in the arena, while they are symbolic.
namespace xgen::lower {

/// A symbolic offset: (buffer << 40) + distance.
inline std::size_t buffer_of(std::size_t address) { return address >> 40; }
inline std::size_t distance_of(std::size_t address) {
  return address & ((std::size_t{1} << 40) - 1);
}

template <class See>
struct ArenaVisitor {
  See see;
  template <class T>
  void value(const char*, T&) {}
  template <class T>
  void array(const char*, T&, int) {}
  void constant(const char*, std::size_t&) {}
  void arena(const char*, std::size_t& address) {
    if (address != XGEN_NONE && (address & XGEN_CONSTANT) == 0) see(address);
  }
  void planes(const char*, xgen_planes& p) {
    if (p.planes > 0)
      visit_fields(*this, p);
    else if (p.plane == 0 && p.data != XGEN_NONE && p.data != 0)
      arena("data", p.data);  // one value a channel
  }
};

/// Calls `see(address)` for every arena offset of a step.
template <class See>
void visit_arena(Step& step, See see) {
  ArenaVisitor<See> visitor{see};
  std::visit([&](auto& args) { visit_fields(visitor, args); }, step.args);
}

}  // namespace xgen::lower
