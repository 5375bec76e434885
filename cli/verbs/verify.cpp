#include <algorithm>
#include <thread>

#include "cli/model_file.h"
#include "cli/verb.h"
#include "cli/verify_folder.h"
#include "core/error.h"
#include "core/log.h"

namespace xgen::cli {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Arguments {
  std::vector<std::string> folders;
  std::string kernels;
  int jobs = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  bool json = false;
};

// A folder with a model, or a folder of such folders.
std::vector<fs::path> test_folders(const std::vector<std::string>& given) {
  std::vector<fs::path> folders;
  for (const std::string& name : given) {
    fs::path path = fs::path(name).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    if (!fs::is_directory(path)) throw UserError(str(name, ": expected a folder of ONNX tests"));
    if (fs::exists(path / "model.onnx")) {
      folders.push_back(path);
      continue;
    }
    std::vector<fs::path> inner;
    for (const auto& entry : fs::directory_iterator(path)) {
      if (fs::exists(entry.path() / "model.onnx")) inner.push_back(entry.path());
    }
    if (inner.empty()) throw UserError(str(name, ": has no model.onnx, nor has a folder in it"));
    std::sort(inner.begin(), inner.end());
    folders.insert(folders.end(), inner.begin(), inner.end());
  }
  return folders;
}

json summary(const std::vector<FolderResult>& results) {
  json sum = {{"passed", 0}, {"wrong", 0}, {"refused", 0}, {"crashed", 0}};
  json rows = json::array();
  for (const FolderResult& r : results) {
    XGEN_CHECK(sum.contains(r.status), r.status);
    sum[r.status] = sum[r.status].get<int>() + 1;
    rows.push_back({{"name", r.name}, {"status", r.status}, {"reason", r.reason}});
  }
  sum["folders"] = rows;
  return sum;
}

std::string text_of(const json& result) {
  std::string text;
  for (const json& f : result["folders"]) {
    const std::string status = f["status"], reason = f["reason"];
    text += status + std::string(9 - status.size(), ' ') + f["name"].get<std::string>() +
            (reason.empty() ? "" : "  " + reason) + "\n";
  }
  for (const char* status : {"passed", "wrong", "refused", "crashed"})
    text += str(text.empty() || text.back() == '\n' ? "" : ", ", result[status].get<int>(), " ",
                status);
  return text + "\n";
}

}  // namespace

void add_verify(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand(
      "verify", "Runs ONNX backend tests on generated kernels and compares the outputs.");
  verb->add_option("folders", args->folders,
                   "Folders with model.onnx and test_data_set_*/{input,output}_*.pb, or folders of "
                   "such folders.")
      ->required();
  verb->add_option("--kernels", args->kernels,
                   "Instruction set, such as scalar or x86-avx2; the best of this machine if not "
                   "given.");
  verb->add_option("--jobs", args->jobs, "Folders at a time.")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb->add_flag("--json", args->json, "Print one JSON object.");
  verb->footer("Exit code 4 when an output is wrong or a folder crashed.");
  verb->callback([args, &exit_code] {
    kernels_to_build(args->kernels);
    const std::vector<fs::path> folders = test_folders(args->folders);
    log::Progress progress("verify", static_cast<std::int64_t>(folders.size()), "folders");
    const auto results = verify_folders(folders, args->kernels, args->jobs, [&](std::size_t done) {
      progress.update(static_cast<std::int64_t>(done));
    });
    const json result = summary(results);
    if (result["wrong"] != 0 || result["crashed"] != 0) exit_code = kFailed;
    if (args->json)
      print_json(result);
    else
      std::cout << text_of(result);
  });
}

}  // namespace xgen::cli
