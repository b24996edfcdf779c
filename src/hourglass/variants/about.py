"""What every recipe is, in one sentence, and its source; in the order of a first reading."""

from typing import NamedTuple


class About(NamedTuple):
    what: str
    source: str = ""


ABOUT: dict[str, About] = {
    "ae": About("plain: the code is what reconstructs x best"),
    "denoising": About("x is noisy on the way in and has to come out clean", "Vincent et al. 2010, JMLR 11:3371"),
    "sparse": About("few units of the code are active: an L1 penalty on the code", "Ng 2011, CS294A lecture notes"),
    "sparse_kl": About(
        "every unit of the code is seldom active: a KL to a target activation", "Ng 2011, CS294A lecture notes"
    ),
    "contractive": About("the code moves little when x does", "Rifai et al. 2011, ICML"),
    "vae": About(
        "variational: the code is a distribution, close to a prior", "Kingma and Welling 2013, arXiv:1312.6114"
    ),
    "beta_vae": About(
        "variational, with a larger weight on the prior: fewer, more independent dimensions",
        "Higgins et al. 2017, ICLR",
    ),
}
