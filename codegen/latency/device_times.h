#pragma once

#include <filesystem>
#include <vector>

#include "codegen/latency/table.h"

namespace xgen::latency {

/// A table from what the bench programs of bundles printed on a device.
///
/// @param files  outputs of `bench`, all of one device, instruction set and compiler; a kernel call
///               is a sample. @throws UserError naming file and row for one of another form, an
///               unknown kernel, or a time that cannot be, and for files of several devices.
LatencyTable table_of_device(const std::vector<std::filesystem::path>& files);

}  // namespace xgen::latency
