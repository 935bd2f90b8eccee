import { describeLinalg, useLinalg } from "../index.ts";
import type { Effects } from "./effects.ts";
import { type Finding, toProblem } from "./finding.ts";

const about = "matrix products";

/** Which library computes matrix products, and how to get a faster one where there is none. */
export function checkLinalg(env: Effects["env"], platform: NodeJS.Platform = process.platform): readonly Finding[] {
  try {
    useLinalg(env["TRIMTAB_BLAS"], { platform, env });
    const { library, version, path, threads, lapack, refused } = describeLinalg();
    const parts = [
      library === "portable" ? `portable ${version}` : `${version} (${path})`,
      ...(threads === undefined ? [] : [`${threads} ${threads === 1 ? "thread" : "threads"}`]),
      ...(library === "portable" ? [] : [lapack ? "with LAPACK" : "without LAPACK: factorisations are portable"]),
    ];
    const found: Finding = { about, state: "good", found: parts.join(", ") };
    const isOwnChoice = library !== "portable" || Boolean(env["TRIMTAB_BLAS"]);
    return [
      isOwnChoice ? found : { ...found, advice: howToInstall(platform) },
      ...refused.map((text): Finding => ({ about, state: "note", found: text, advice: "install another OpenBLAS" })),
    ];
  } catch (error) {
    return [toProblem(about, error)];
  }
}

/** The one step to a system BLAS. */
function howToInstall(platform: NodeJS.Platform): string {
  const gain = "for several times faster fits";
  if (platform === "darwin") return `${gain}: brew install openblas (Accelerate, which every macOS has, did not load)`;
  if (platform === "win32")
    return `${gain}: set TRIMTAB_BLAS to the path of libopenblas.dll from https://github.com/OpenMathLib/OpenBLAS/releases`;
  return `${gain}: apt install libopenblas0 (Debian, Ubuntu), dnf install openblas-threads (Fedora), pacman -S openblas (Arch)`;
}
