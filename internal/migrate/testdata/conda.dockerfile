FROM continuumio/miniconda3
COPY environment.yml .
RUN conda env create -f environment.yml
RUN --security=insecure pip install .
RUN pip install git+https://token@example.com/x.git#egg=x
COPY main.py .
CMD ["conda", "run", "-n", "x", "python", "main.py"]
