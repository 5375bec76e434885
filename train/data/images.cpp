#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>
#include <utility>

#include "core/error.h"
#include "train/data/decode_image.h"
#include "train/data/read_file.h"
#include "train/data/readers.h"

namespace xgen::train {
namespace {

/// By class name, then by file name; sorted, because folders and archives come in any order.
using Files = std::map<std::string, std::map<std::string, std::string>>;

bool is_image(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool hidden = path.filename().string().starts_with(".");
  return !hidden && (extension == ".jpg" || extension == ".jpeg" || extension == ".png");
}

ImageSet decode_all(const Files& files, const std::string& place, const ImageOptions& options) {
  if (files.empty()) {
    throw UserError(str(place, ": expected folders of images, one for each class, found none"));
  }
  ImageSet set;
  set.decoder = decoder_name();
  std::string first_name;
  for (const auto& [class_name, images] : files) {
    if (images.empty()) {
      throw UserError(str(place, "/", class_name, ": the class has no JPEG or PNG files"));
    }
    const auto label = static_cast<std::int32_t>(set.class_names.size());
    set.class_names.push_back(class_name);
    for (const auto& [file_name, bytes] : images) {
      const std::string name = str(place, "/", class_name, "/", file_name);
      DecodedImage image;
      try {
        image = decode_image(bytes, options.channels, name);
        if (options.change) image = options.change(std::move(image));
      } catch (const UserError& error) {
        if (!options.skip_broken) {
          throw UserError(str(error.what(), "; \"on_broken_image\": \"skip\" leaves it out"));
        }
        if (options.skipped != nullptr) options.skipped->emplace_back(error.what());
        continue;
      }
      if (first_name.empty()) {
        first_name = name;
        set.channels = image.channels;
        set.height = image.height;
        set.width = image.width;
      } else if (image.height != set.height || image.width != set.width) {
        throw UserError(str(name, ": expected ", set.height, " x ", set.width,
                            " pixels (height x width) like ", first_name, ", found ", image.height,
                            " x ", image.width));
      }
      set.pixels.insert(set.pixels.end(), image.pixels.begin(), image.pixels.end());
      set.labels.push_back(label);
    }
  }
  if (set.labels.empty()) throw UserError(str(place, ": all images are broken"));
  return set;
}

}  // namespace

ImageSet read_image_folder(const std::filesystem::path& folder, const ImageOptions& options) {
  if (!std::filesystem::is_directory(folder)) {
    throw UserError(str(folder.string(), ": expected a folder of images, found none"));
  }
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string class_name = entry.path().filename().string();
    if (!entry.is_directory() || class_name.starts_with(".")) continue;
    auto& images = files[class_name];
    for (const auto& image : std::filesystem::directory_iterator(entry.path())) {
      if (image.is_regular_file() && is_image(image.path())) {
        images[image.path().filename().string()] = read_maybe_compressed(image.path());
      }
    }
  }
  return decode_all(files, folder.string(), options);
}

ImageSet read_image_tar(const std::filesystem::path& file, const std::string& folder,
                        const ImageOptions& options) {
  const std::unique_ptr<archive, decltype(&archive_read_free)> tar(archive_read_new(),
                                                                   archive_read_free);
  archive_read_support_filter_all(tar.get());
  archive_read_support_format_tar(tar.get());
  constexpr std::size_t kBlock = 1 << 16;
  const auto fail = [&](const char* what) {
    const char* why = archive_error_string(tar.get());
    throw UserError(str(file.string(), ": ", what, ": ", why == nullptr ? "unknown" : why));
  };
  if (archive_read_open_filename(tar.get(), file.c_str(), kBlock) != ARCHIVE_OK) {
    fail("expected a tar file");
  }
  Files files;
  const std::filesystem::path wanted = std::filesystem::path(folder).lexically_normal();
  archive_entry* entry = nullptr;
  int status = ARCHIVE_OK;
  while ((status = archive_read_next_header(tar.get(), &entry)) == ARCHIVE_OK ||
         status == ARCHIVE_WARN) {
    const std::filesystem::path path =
        std::filesystem::path(archive_entry_pathname(entry)).lexically_normal();
    const std::filesystem::path inner = folder.empty() ? path : path.lexically_relative(wanted);
    std::vector<std::string> parts;
    for (const auto& part : inner) {
      if (!part.empty() && part != ".") parts.push_back(part.string());
    }
    if (parts.empty() || parts[0] == ".." || parts[0].starts_with(".")) continue;
    if (archive_entry_filetype(entry) == AE_IFDIR && parts.size() == 1) files[parts[0]];
    if (archive_entry_filetype(entry) != AE_IFREG || parts.size() != 2 || !is_image(path)) continue;
    std::string& bytes = files[parts[0]][parts[1]];
    bytes.resize(static_cast<std::size_t>(std::max<std::int64_t>(archive_entry_size(entry), 0)));
    const auto read = archive_read_data(tar.get(), bytes.data(), bytes.size());
    if (read != std::ssize(bytes)) fail("is truncated or damaged");
  }
  if (status != ARCHIVE_EOF) fail("is truncated or of another format");
  return decode_all(files, folder.empty() ? file.string() : str(file.string(), ":", folder),
                    options);
}

}  // namespace xgen::train
