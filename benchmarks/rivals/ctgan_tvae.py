"""TVAE of the package ctgan, with its defaults: TRAIN.csv -> DRAWN.csv of as many rows.

python ctgan_tvae.py TRAIN.csv DRAWN.csv SEED CATEGORICAL_COLUMN...
"""

import sys

import numpy as np
import pandas as pd
import torch
from ctgan import TVAE

train, drawn, seed, *names = sys.argv[1:]
torch.set_num_threads(1)
torch.manual_seed(int(seed))
np.random.seed(int(seed))  # noqa: NPY002 - ctgan draws from it
rows = pd.read_csv(train)
model = TVAE(enable_gpu=False)
model.fit(rows, discrete_columns=names)
model.sample(len(rows)).to_csv(drawn, index=False)
