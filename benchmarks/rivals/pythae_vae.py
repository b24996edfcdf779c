"""pythae's own VAE and trainer as its user gets them: default network (784-512-L), default trainer."""

import torch
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback


def default_vae(latent: int, reconstruction_loss: str, seed: int) -> VAE:
    """pythae's VAE on 28x28 pictures; its trainer seeds the training but not the initial weights, so we do."""
    torch.manual_seed(seed)
    return VAE(VAEConfig(input_dim=(1, 28, 28), latent_dim=latent, reconstruction_loss=reconstruction_loss))


def dataset_of(pictures: torch.Tensor) -> BaseDataset:
    """`pictures` (N, 784) as pythae's data set of (N, 1, 28, 28), with the labels of ones that its pipeline would add.

    The memory is shared, where pythae's TrainingPipeline copies the array twice on its way.
    """
    return BaseDataset(pictures.view(-1, 1, 28, 28), torch.ones(len(pictures)))


def trainer_of(
    model: VAE,
    data: BaseDataset,
    callback: TrainingCallback,
    folder: str,
    *,
    epochs: int,
    batch: int,
    learning_rate: float,
    workers: int,
    seed: int,
) -> BaseTrainer:
    """pythae's BaseTrainer without an evaluation set; what is not named here keeps pythae's default."""
    config = BaseTrainerConfig(
        output_dir=folder,
        num_epochs=epochs,
        per_device_train_batch_size=batch,
        learning_rate=learning_rate,
        train_dataloader_num_workers=workers,
        seed=seed,
        no_cuda=True,
    )
    return BaseTrainer(model, data, training_config=config, callbacks=[callback])
