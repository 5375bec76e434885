#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace xgen::train {

/// CRC-32C (Castagnoli), as TensorFlow's record files use it.
std::uint32_t crc32c(std::string_view bytes);

/// Scalars in the format that TensorBoard reads: events.out.tfevents.SECONDS.HOST in a folder, as
/// records (tensorflow/core/lib/io/record_writer.h) of Event messages
/// (tensorflow/core/util/event.proto).
class EventWriter {
 public:
  /// Opens a new file beside those of earlier stages; TensorBoard shows all files of a folder as
  /// one run. @throws UserError when the file cannot be made.
  explicit EventWriter(const std::filesystem::path& folder);

  void scalar(const std::string& tag, double value, std::int64_t step);
  const std::filesystem::path& path() const { return path_; }

 private:
  void record(const std::string& event);

  std::filesystem::path path_;
  std::ofstream out_;
};

}  // namespace xgen::train
