#include <algorithm>
#include <set>

#include "cli/model_file.h"
#include "cli/options.h"
#include "cli/verb.h"
#include "core/error.h"
#include "core/npy.h"
#include "core/suggest.h"

namespace xgen::cli {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string model;
  std::vector<std::string> inputs, dims;
  std::string output, kernels;
  bool json = false;
};

std::string names_of(const std::vector<TensorInfo>& infos) {
  std::string names;
  for (const TensorInfo& t : infos)
    names += str(names.empty() ? "" : ", ", "\"", t.name, "\" (", ir::name_of(t.dtype), " ",
                 ir::to_string(ir::to_shape(t.shape)), ")");
  return names;
}

// The arrays in the model's order; what the files do not fit is said by input and file.
std::vector<ir::Constant> read_inputs(const Arguments& args,
                                      const std::vector<TensorInfo>& wanted) {
  std::map<std::string, fs::path> files = parse_inputs(args.inputs);
  std::vector<ir::Constant> arrays;
  std::string missing;
  for (const TensorInfo& info : wanted) {
    const auto file = files.find(info.name);
    if (file == files.end()) {
      missing += str(missing.empty() ? "" : ", ", "\"", info.name, "\"");
      continue;
    }
    ir::Constant array = read_npy(file->second);
    if (array.dtype != info.dtype || array.shape != info.shape) {
      throw UserError(str(file->second.string(), ": input \"", info.name, "\": expected ",
                          ir::name_of(info.dtype), " ", ir::to_string(ir::to_shape(info.shape)),
                          ", got ", ir::name_of(array.dtype), " ",
                          ir::to_string(ir::to_shape(array.shape))));
    }
    arrays.push_back(std::move(array));
    files.erase(file);
  }
  std::vector<std::string> known;
  for (const TensorInfo& info : wanted) known.push_back(info.name);
  if (!files.empty()) {
    const std::string& name = files.begin()->first;
    throw UserError(str("--input ", name, ": the model has no such input; it has ",
                        names_of(wanted), did_you_mean(name, known)));
  }
  if (!missing.empty())
    throw UserError(str(args.model, ": no file for ", missing,
                        "; give every input as --input NAME=FILE.npy: ", names_of(wanted)));
  return arrays;
}

// Names that are the same once they are file names get a number.
std::vector<fs::path> output_files(const fs::path& folder, const std::vector<TensorInfo>& outputs) {
  std::set<std::string> taken;
  std::vector<fs::path> files;
  for (const TensorInfo& info : outputs) {
    const std::string base = file_safe(info.name);
    std::string name = base;
    for (int n = 2; !taken.insert(name).second; ++n) name = str(base, "_", n);
    files.push_back(folder / (name + ".npy"));
  }
  return files;
}

void infer(const Arguments& args) {
  const fs::path folder = args.output;
  if (fs::exists(folder) && !fs::is_directory(folder))
    throw UserError(str(folder.string(), ": expected a folder, got a file"));
  OpenModel open = open_model(args.model, {parse_dims(args.dims), args.kernels});
  const std::vector<ir::Constant> inputs = read_inputs(args, open.model.inputs());
  const std::vector<ir::Constant> outputs = open.model.run(inputs);
  const std::vector<fs::path> files = output_files(folder, open.model.outputs());
  nlohmann::json rows = nlohmann::json::array();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    write_npy(files[i], outputs[i]);
    const TensorInfo& info = open.model.outputs()[i];
    rows.push_back({{"name", info.name},
                    {"type", ir::name_of(info.dtype)},
                    {"shape", info.shape},
                    {"file", files[i].string()}});
    if (!args.json)
      std::cout << info.name << "  " << ir::name_of(info.dtype) << " "
                << ir::to_string(ir::to_shape(info.shape)) << "  " << files[i].string() << "\n";
  }
  if (args.json) print_json({{"kernels", open.kernels_text()}, {"outputs", rows}});
}

}  // namespace

void add_infer(CLI::App& app, int& /*exit_code*/) {
  auto args = std::make_shared<Arguments>();
  CLI::App* verb =
      app.add_subcommand("infer", "Runs the generated kernels of a model and writes its outputs.");
  verb->add_option("model", args->model, "ONNX file, bundle, or folder of a run.")->required();
  verb->add_option("-i,--input", args->inputs, "NAME=FILE.npy, once for each input.");
  verb->add_option("-o,--output", args->output, "Folder for the outputs, OUTPUT_NAME.npy.")
      ->required();
  verb->add_option("--dim", args->dims, "NAME=N: the size of a symbolic dimension.");
  verb->add_option("--kernels", args->kernels,
                   "Instruction set, such as scalar or x86-avx2; the best of this machine if not "
                   "given.");
  verb->add_flag("--json", args->json, "Print one JSON object.");
  verb->callback([args] { infer(*args); });
}

}  // namespace xgen::cli
