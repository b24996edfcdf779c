"""Multiple imputation by chained LightGBM models, their predictions as they are: TRAIN and TEST -> FILLED (Parquet).

    python miceforest_impute.py TRAIN.parquet TEST.parquet FILLED.parquet SEED
"""

import sys

import miceforest
import pandas as pd

train, test, filled, seed = sys.argv[1:]
rows, new = pd.read_parquet(train), pd.read_parquet(test)
texts = [name for name in rows if not pd.api.types.is_numeric_dtype(rows[name])]
for name in texts:
    levels = sorted(rows[name].dropna().unique())
    rows[name], new[name] = (pd.Categorical(part[name], levels) for part in (rows, new))
for part in (rows, new):
    part.columns = [f"c{i}" for i in range(part.shape[1])]
# without candidates for mean matching a cell is the prediction itself, which is what an error is smallest with
kernel = miceforest.ImputationKernel(rows, mean_match_candidates=0, random_state=int(seed))
kernel.mice(3, num_threads=1, num_iterations=50)
full = kernel.impute_new_data(new, random_state=int(seed)).complete_data(0)
full.columns = pd.read_parquet(test).columns
for name in texts:
    full[name] = full[name].astype(object)
full.to_parquet(filled)
